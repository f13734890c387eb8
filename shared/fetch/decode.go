package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Decode decodes an answer in JSON into v. A value of another type than v has for it is left
// out, and odd says which, of several the first; it is "" if there is none. A list that is
// none is left out, too: its pointer is not nil, but it is. An answer of another form is an
// error, which says what it is.
func Decode(body []byte, v any) (odd string, err error) {
	err = json.Unmarshal(body, v)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		kind, _, _ := strings.Cut(e.Value, " ") // "number -1.5"
		return fmt.Sprintf("%s has a value of the kind %s, which is not documented", e.Field, kind), nil
	}
	if e, ok := errors.AsType[*time.ParseError](err); ok {
		return "", fmt.Errorf("%.40q is not a time as documented", strings.Trim(e.Value, `"`))
	}
	if err != nil {
		return "", fmt.Errorf("not the documented JSON but %s", Describe(beginning(body)))
	}
	return "", nil
}
