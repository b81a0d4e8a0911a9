package oauth

// set is a set of bytes.
type set [256]bool

func characters(in func(c byte) bool) *set {
	var s set
	for c := range s {
		s[c] = in(byte(c))
	}
	return &s
}

// holds reports whether all bytes of a text are in the set.
func (s *set) holds(text string) bool {
	for i := 0; i < len(text); i++ {
		if !s[text[i]] {
			return false
		}
	}
	return true
}

// token68 are the characters of a credential (RFC 9110 §11.2).
var token68 = characters(func(c byte) bool {
	switch c {
	case '-', '.', '_', '~', '+', '/':
		return true
	}
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
})
