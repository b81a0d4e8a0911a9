// Package live holds the facts that every request asks for and that may change
// at any moment: the registered clients, and which grants and tokens have ended.
// They are answered from memory, without a lock. The signing keys are read again
// when the feed says so, by package keys.
//
//	feed ──every poll, or Refresh──▶ snapshot of clients ──▶ Client, AllowsOrigin
//	                              ├▶ what has ended      ──▶ Ended
//	                              └▶ signing keys        ──▶ keys.Ring
//
// A process that ends a grant calls Refresh before it answers, so its own next
// request is refused; other processes learn within a poll. When the feed could
// not be read for longer than a bound, Fresh is false and callers refuse: not
// knowing whether something was revoked is no reason to let it through.
//
// Rows of the feed may become visible out of order, so a window of it is read
// again each time. Once a minute, and after any gap that could be longer than
// the window (a frozen process, a database that was away), everything is read
// anew: nothing depends on a row of the feed having been seen. An ended grant is
// forgotten when its last access token has expired; Grants of the store remain
// the truth for everything that lives longer.
//
// Start reading at Facts.Refresh.
package live
