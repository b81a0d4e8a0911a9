package db

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// checkArgs refuses text that PostgreSQL could not store, so that both
// databases accept the same.
func checkArgs(args []any) error {
	for _, a := range args {
		s, ok := a.(string)
		if !ok {
			if v := reflect.ValueOf(a); v.Kind() == reflect.String {
				s = v.String()
			}
		}
		if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
			return ErrText
		}
	}
	return nil
}

// bind gives a parameter its value.
func (p *prepared) bind(param int, arg any) error {
	switch v := arg.(type) {
	case nil:
		p.BindNull(param)
	case string:
		p.bindText(param, v)
	case []byte:
		p.bindBytes(param, v)
	case int64:
		p.BindInt64(param, v)
	case int:
		p.BindInt64(param, int64(v))
	case bool:
		p.BindBool(param, v)
	case float64:
		p.BindFloat(param, v)
	default:
		named := reflect.ValueOf(arg)
		if named.Kind() != reflect.String {
			return fmt.Errorf("db: no argument may be a %T", arg)
		}
		p.bindText(param, named.String())
	}
	return nil
}

func (p *prepared) bindText(param int, text string) {
	p.BindText(param, text)
	if len(text) > largeArgument {
		p.large = append(p.large, param)
	}
}

// bindBytes: nil is null, as with PostgreSQL.
func (p *prepared) bindBytes(param int, b []byte) {
	if b == nil {
		p.BindNull(param)
		return
	}
	p.BindBytes(param, b)
	if len(b) > largeArgument {
		p.large = append(p.large, param)
	}
}
