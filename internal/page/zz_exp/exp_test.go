package zz

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func run(ctx context.Context, loc *string, a ...chromedp.Action[chromedp.Void]) error {
	if err := chromedp.Do(ctx, a...); err != nil { return err }
	l, err := chromedp.Run(ctx, chromedp.Location())
	*loc = l
	return err
}

func TestExp(t *testing.T) {
	c := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<h1 id=c>C</h1>") }))
	b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, c.URL, 302) }))
	var csp string
	a := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			fmt.Println("post origin", r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"))
			http.Redirect(w, r, b.URL, 303)
			return
		}
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Content-Security-Policy", csp)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<form method=post><button disabled hidden></button><button id=sw name=d value=switch>sw</button><input id=x type=checkbox name=q><input id=tx type=text name=w><button id=go name=d value=go>go</button></form>`)
	}))
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU)
	actx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	defer cancel()
	for _, p := range []string{"default-src 'none'; form-action 'self'", "default-src 'none'; form-action 'self' " + b.URL, "default-src 'none'; form-action 'self' http:", "default-src 'none'; form-action 'self' http://[::1]:80 " + b.URL, "default-src 'none'"} {
		csp = p
		ctx, cancel2 := chromedp.NewContext(actx)
		var loc string
		err := run(ctx,&loc, chromedp.Navigate(a.URL), chromedp.Click(chromedp.ID("go")), chromedp.Sleep(time.Second))
		fmt.Println(p, "=>", loc, err, "a", a.URL, "b", b.URL, "c", c.URL)
		cancel2()
	}
	for _, id := range []string{"x", "tx"} {
		ctx, cancel2 := chromedp.NewContext(actx)
		var loc string
		err := run(ctx,&loc, chromedp.Navigate(a.URL), chromedp.Focus(chromedp.ID(id)), chromedp.KeyEvent("\r"), chromedp.Sleep(time.Second))
		fmt.Println("enter", id, loc, err)
		cancel2()
	}
}
