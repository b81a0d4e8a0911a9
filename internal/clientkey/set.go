package clientkey

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Set are the keys of one client, or of one server. The zero value has none.
type Set struct{ keys []Key }

// members reads the outer object of a key set (RFC 7517 §5).
func members(raw []byte, most int) ([]jsontext.Value, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set, jsontext.AllowDuplicateNames(false)); err != nil || set.Keys == nil {
		return nil, errors.New("a key set is one JSON object with the member keys, a list")
	}
	if len(set.Keys) > most {
		return nil, fmt.Errorf("at most %d keys", most)
	}
	return set.Keys, nil
}

// Check judges a key set that is to be registered: every key must be usable, and no
// two may share kid and kty. The error is a sentence for the client's developer.
func Check(raw []byte) error {
	list, err := members(raw, maxKeys)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("the list of keys is empty")
	}
	var keys []Key
	for i, one := range list {
		k, err := parseKey(one, Algorithms())
		if err != nil {
			return fmt.Errorf("key %d %w", i, err)
		}
		if slices.ContainsFunc(keys, func(o Key) bool { return o.id == k.id && o.kind == k.kind }) {
			return fmt.Errorf("key %d has the kid and kty of another one", i)
		}
		keys = append(keys, k)
	}
	return nil
}

// parseSet reads a key set; keys that are unusable are kept without their public
// half, so that they make a kid ambiguous and verify nothing.
func parseSet(raw []byte, taken []string) (Set, error) {
	list, err := members(raw, maxFetchedKeys)
	if err != nil {
		return Set{}, err
	}
	var set Set
	for _, one := range list {
		k, _ := parseKey(one, taken) // why it is unusable is nobody's question any more
		set.keys = append(set.keys, k)
	}
	return set, nil
}

// find returns the one key with this kid whose kty the algorithm needs, when it may
// sign with that algorithm. None and several are both a no (SMART App Launch 2.2
// client-confidential-asymmetric; CAUTH-26).
func (s Set) find(kid, algorithm string) (Key, bool) {
	var found []Key
	for _, k := range s.keys {
		if k.id == kid && k.kind == kindOf(algorithm) {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		return Key{}, false
	}
	k := found[0]
	return k, slices.Contains(k.signs, algorithm) && (k.algorithm == "" || k.algorithm == algorithm)
}

// knows reports whether some key has the kid: then fetching again would not help.
func (s Set) knows(kid string) bool {
	return slices.ContainsFunc(s.keys, func(k Key) bool { return k.id == kid })
}
