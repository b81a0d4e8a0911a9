package page_test

import "github.com/emberlatch/emberlatch/internal/page"

// drawn is a small drawing; a real one is of package factor.
var drawn = page.Drawing{Box: "-4 -4 29 29", Path: "M0 0h7v1h-7zM8 0h1v1h-1zM14 0h7v1h-7zM0 1h1v1h-1zM6 1h1v1h-1zM9 1h4v1h-4zM14 1h1v1h-1zM20 1h1v1h-1zM0 2h1v1h-1zM2 2h3v1h-3zM6 2h1v1h-1zM0 20h7v1h-7z"}

// secondStepSamples are the pages of the second factor.
func secondStepSamples() []sample {
	code := page.SecondStep{Shell: shell("/login/second"), OtherURL: "/login/second?request=rq_5&backup"}
	failed, waiting, backup := code, code, code
	used := page.SecondStep{Shell: shell("/login/second"), OtherURL: "/login/second?request=rq_5", Backup: true, Failed: true}
	failed.Failed, waiting.WaitSeconds = true, 299
	backup.Backup, backup.OtherURL = true, "/login/second?request=rq_5"
	setUp := page.SetUpSecondStep{
		Shell: shell("/login/second"), Username: "chen", Secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", QR: drawn, Required: true,
		URI: "otpauth://totp/Valley%20Clinic:chen?algorithm=SHA1&digits=6&issuer=Valley%20Clinic&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
	}
	own := setUp
	own.Shell, own.Required, own.Failed, own.Replaces, own.Back = shell("/manage/second-step/set-up"), false, true, true, "/manage/second-step"
	own.Shell.AppName = ""
	codes := []string{"k7qp-2m9d-xw4a-6tzb", "h3jv-n5rc-qe7y-2lfs", "a4mt-z6wd-p2xk-r7gu", "c5vb-j2nh-y4qe-m6ls", "t7rx-d3pa-k5wz-f2ci", "u4gy-e6bm-n2vj-q7ho", "x3kd-s5tl-a7rp-w2cz", "b6nf-m4qy-g2ue-j7xi", "p5ah-v7cr-t3ks-d2lw", "z2ew-o6jg-f4nb-y7mq"}
	state := page.SecondStepState{Shell: shell("/manage/second-step"), SetUpURL: "/manage/second-step/set-up", Back: "/manage"}
	state.Shell.AppName = ""
	on, removed, required := state, state, state
	on.Since, on.Codes = noon.AddDate(0, -2, 0), 9
	required.Since, required.Codes, required.Required = on.Since, 1, true
	removed.Removed = true
	return []sample{
		{"second-step", 200, code}, {"second-step-failed", 200, failed}, {"second-step-waiting", 429, waiting}, {"second-step-backup", 200, backup}, {"second-step-backup-failed", 200, used},
		{"set-up-second-step", 200, setUp}, {"set-up-second-step-own", 200, own},
		{"backup-codes", 200, page.BackupCodes{Shell: page.Shell{AppName: "GrowthTracker"}, Codes: codes, Next: "/authorize/continue?request=rq_5", ToApp: true}},
		{"backup-codes-own", 200, page.BackupCodes{Codes: codes, New: true, Next: "/manage/second-step"}},
		{"second-step-state", 200, state}, {"second-step-state-on", 200, on}, {"second-step-state-required", 200, required}, {"second-step-state-removed", 200, removed},
	}
}
