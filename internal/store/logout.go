package store

// LogoutNotice is one app that is to be told of one session that has ended (OpenID
// Connect Back-Channel Logout 1.0 §2.5). It is written with the end of the session.
type LogoutNotice struct {
	ID       int64
	ClientID ClientID
	UserID   UserID
	SID      string
	Attempts int // counted before the attempt is made
}
