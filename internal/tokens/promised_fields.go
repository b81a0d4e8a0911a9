package tokens

import (
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/emberlatch/emberlatch/internal/store"
)

// promisedForm is the form of what follows it in a code. Another one is not read.
const promisedForm = 1

// carried names all that a code carries, once for both directions.
func carried(c carrier, p *store.PromisedGrant) {
	g := &p.Grant
	c.text((*string)(&g.ID))
	c.text((*string)(&g.ClientID))
	c.text((*string)(&g.UserID))
	for _, s := range []*string{&g.Username, &g.FHIRUser, &g.Patient, &g.Encounter, &g.LaunchContext} {
		c.text(s)
	}
	c.texts(&g.Scopes)
	c.text(&g.Audience)
	c.text(&g.Nonce)
	c.moment(&g.AuthTime)
	c.texts(&g.AMR)
	c.text(&g.KeyThumbprint)
	c.bytes(&g.SessionHash)
	c.text((*string)(&g.Refresh.Kind))
	c.length(&g.Refresh.Idle)
	c.length(&g.Refresh.Absolute)
	c.flag(&g.Refresh.Rotate)
	c.text(&p.RedirectURI)
	c.text(&p.CodeChallenge)
	c.moment(&p.ExpiresAt)
	c.number(&p.ClientVersion)
	c.bytes(&p.SessionHash)
	c.flag(&p.ToldOfSession)
	c.text(&p.ApprovalPatient)
	c.moment(&p.ApprovedAt)
}

// carrier writes fields, or reads them.
type carrier interface {
	text(s *string)
	texts(list *[]string)
	bytes(b *[]byte)
	moment(t *time.Time) // in milliseconds
	length(d *time.Duration)
	number(n *int64)
	flag(b *bool)
}

// pack is false when a field is too long.
func pack(p *store.PromisedGrant) ([]byte, bool) {
	var b cryptobyte.Builder
	b.AddUint8(promisedForm)
	carried(packer{&b}, p)
	plain, err := b.Bytes()
	return plain, err == nil
}

func unpack(plain []byte) (store.PromisedGrant, bool) {
	var (
		p    store.PromisedGrant
		u    = unpacker{(*cryptobyte.String)(&plain), true}
		form uint8
	)
	if !u.s.ReadUint8(&form) || form != promisedForm {
		return p, false
	}
	carried(&u, &p)
	if !u.ok || !u.s.Empty() {
		return store.PromisedGrant{}, false
	}
	return p, true
}

type packer struct{ b *cryptobyte.Builder }

func (p packer) bytes(b *[]byte) {
	p.b.AddUint16LengthPrefixed(func(c *cryptobyte.Builder) { c.AddBytes(*b) })
}

func (p packer) text(s *string) { b := []byte(*s); p.bytes(&b) }

func (p packer) texts(list *[]string) {
	p.b.AddUint16(uint16(min(len(*list), 1<<16-1))) //nolint:gosec // bounded here
	for i := range *list {
		p.text(&(*list)[i])
	}
}

func (p packer) moment(t *time.Time) {
	ms := uint64(0)
	if !t.IsZero() {
		ms = uint64(t.UnixMilli()) //nolint:gosec // read back as it is written
	}
	p.b.AddUint64(ms)
}

func (p packer) length(d *time.Duration) { p.b.AddUint64(uint64(*d)) } //nolint:gosec // read back as it is written

func (p packer) number(n *int64) { p.b.AddUint64(uint64(*n)) } //nolint:gosec // read back as it is written

func (p packer) flag(b *bool) {
	n := uint8(0)
	if *b {
		n = 1
	}
	p.b.AddUint8(n)
}

// unpacker stops at the first field that is not there.
type unpacker struct {
	s  *cryptobyte.String
	ok bool
}

func (u *unpacker) bytes(b *[]byte) {
	var part cryptobyte.String
	if u.ok = u.ok && u.s.ReadUint16LengthPrefixed(&part); u.ok && len(part) > 0 {
		*b = part
	}
}

func (u *unpacker) text(s *string) {
	var b []byte
	u.bytes(&b)
	*s = string(b)
}

func (u *unpacker) texts(list *[]string) {
	var n uint16
	u.ok = u.ok && u.s.ReadUint16(&n)
	for range n {
		if !u.ok {
			return
		}
		var s string
		u.text(&s)
		*list = append(*list, s)
	}
}

func (u *unpacker) eight() uint64 {
	var n uint64
	u.ok = u.ok && u.s.ReadUint64(&n)
	return n
}

func (u *unpacker) moment(t *time.Time) {
	if n := u.eight(); n > 0 {
		*t = time.UnixMilli(int64(n)).UTC() //nolint:gosec // written as it is read
	}
}

func (u *unpacker) length(d *time.Duration) { *d = time.Duration(u.eight()) } //nolint:gosec // written as it is read

func (u *unpacker) number(n *int64) { *n = int64(u.eight()) } //nolint:gosec // written as it is read

func (u *unpacker) flag(b *bool) {
	var n uint8
	u.ok = u.ok && u.s.ReadUint8(&n)
	*b = n == 1
}
