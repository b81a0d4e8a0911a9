package db

// Dialect names the places where the two databases' SQL differs. Statements are
// the same text otherwise: both understand $1, RETURNING, ON CONFLICT, CASE,
// and CAST(x AS BIGINT). Where a whole statement differs, write both and choose
// by comparing with SQLite or PostgreSQL.
type Dialect struct {
	name string
	now  string
	// ForUpdate ends a SELECT inside a Write that locks the rows it reads; SQLite
	// has one writer and needs none.
	ForUpdate string
	// ForShare ends a SELECT whose rows must stay as they are until the commit.
	ForShare string
	// SkipLocked ends a subquery that leaves out the rows which others hold.
	SkipLocked string
	// LockExclusive begins the statement that keeps all other writers from a
	// table until the transaction ends; empty when there is one writer anyway.
	LockExclusive string
}

// The two dialects.
var (
	SQLite = Dialect{
		name: "sqlite",
		now:  "CAST(round(unixepoch('now','subsec') * 1000) AS INTEGER)",
	}
	PostgreSQL = Dialect{
		name:      "postgres",
		now:       "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)",
		ForUpdate: " FOR UPDATE", ForShare: " FOR SHARE", SkipLocked: " FOR UPDATE SKIP LOCKED",
		LockExclusive: "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE",
	}
)

// String returns "sqlite" or "postgres", the name of the migrations folder.
func (d Dialect) String() string { return d.name }
