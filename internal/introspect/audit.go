package introspect

import (
	"context"
	"log/slog"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// audit tells the log who asked and what was said about which token, by its name and
// never by its text (RFC 7662 §4; INTRO-20). It is a line and no row: a resource server
// asks with each of its requests.
func (d *Door) audit(ctx context.Context, caller store.Client, f found, refused *oauth.Error) {
	line := []slog.Attr{slog.String("id", door.RequestID(ctx)), slog.String("caller", string(caller.ID))}
	switch {
	case refused != nil:
		line = append(line, slog.String("outcome", refused.Slug.String()))
	case f.own != nil:
		line = append(line, slog.String("outcome", "active"), slog.String("issuer", f.own.Issuer), slog.String("client", f.own.ClientID), slog.String("jti", f.own.TokenID))
	case f.other != nil:
		line = append(line, slog.String("outcome", "active"), slog.String("issuer", f.other.Issuer), slog.String("client", cut(f.other.ClientID)), slog.String("jti", cut(f.other.TokenID)))
	default:
		line = append(line, slog.String("outcome", "inactive"))
	}
	d.deps.Log.LogAttrs(ctx, slog.LevelInfo, "introspection", line...)
}

// cut bounds what another server has written (security E-35).
func cut(text string) string { return text[:min(len(text), 256)] }
