package fetch

import (
	"testing"
	"time"
)

func TestAnOddValueCostsItself(t *testing.T) {
	type answer struct {
		N    *float64  `json:"n"`
		Time time.Time `json:"time"`
		List []struct {
			Name string `json:"name"`
			At   struct {
				Value *int `json:"value"`
			} `json:"at"`
		} `json:"list"`
	}
	for body, want := range map[string]struct{ odd, err string }{
		`{"n":1,"list":[{"name":"a","at":{"value":5}}]}`:           {"", ""},
		`{"n":"1","list":[{"name":"a","at":{"value":5}}]}`:         {"n has a value of the kind string, which is not documented", ""},
		`{"n":{"x":1},"list":[{"name":"a","at":{"value":5}}]}`:     {"n has a value of the kind object, which is not documented", ""},
		`{"n":1,"list":[{"name":7.25,"at":{"value":5}}]}`:          {"list.name has a value of the kind number, which is not documented", ""},
		`{"n":1,"list":[{"at":{"value":1.5}},{"at":{"value":5}}]}`: {"list.at.value has a value of the kind number, which is not documented", ""},
		`{"n":1,"list":[{"at":[]},{"at":{"value":5}}]}`:            {"list.at has a value of the kind array, which is not documented", ""},
		`[1]`:  {"", "not the documented JSON but JSON without a message: \"[1]\""},
		`"no"`: {"", "not the documented JSON but \"no\""},
		`<html><head><title>Sign in</title></head>`: {"", "not the documented JSON but a page of HTML titled \"Sign in\""},
		``:       {"", "not the documented JSON but an empty answer"},
		`{"n":1`: {"", "not the documented JSON but JSON without a message: \"{\\\"n\\\":1\""},
	} {
		var v answer
		odd, err := Decode([]byte(body), &v)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if odd != want.odd || text != want.err {
			t.Errorf("%s: %q, %q; want %q", body, odd, text, want)
		}
		if err == nil && (len(v.List) == 0 || v.List[len(v.List)-1].At.Value == nil || *v.List[len(v.List)-1].At.Value != 5) {
			t.Errorf("%s: %+v: the others are not read", body, v)
		}
	}
}
