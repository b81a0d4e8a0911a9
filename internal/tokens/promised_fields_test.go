package tokens

import (
	"reflect"
	"testing"

	"github.com/emberlatch/emberlatch/internal/store"
)

// What is read is what was written, and all of it.
func FuzzUnpack(f *testing.F) {
	plain, _ := pack(&store.PromisedGrant{Grant: store.Grant{ID: "g", Scopes: []string{"a", "b"}}, SessionHash: []byte{1}, ToldOfSession: true})
	f.Add(plain)
	f.Add(append(plain, 0))
	f.Add([]byte{promisedForm + 1})
	f.Fuzz(func(t *testing.T, plain []byte) {
		p, ok := unpack(plain)
		if !ok {
			return
		}
		again, ok := pack(&p)
		if !ok {
			t.Fatal("it cannot be written")
		}
		back, ok := unpack(again)
		if !ok || !reflect.DeepEqual(p, back) || len(again) != len(plain) {
			t.Errorf("%+v became %+v", p, back)
		}
	})
}
