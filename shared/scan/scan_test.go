package scan

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// value builds the same value as encoding/json does.
func value(s *Scanner) (any, error) {
	switch s.Kind() {
	case Object:
		m := map[string]any{}
		return m, s.Object(func(key []byte) error {
			k := string(key)
			v, err := value(s)
			m[k] = v
			return err
		})
	case Array:
		l := []any{}
		err := s.Array(func(int) error {
			v, err := value(s)
			l = append(l, v)
			return err
		})
		return l, err
	case String:
		b, err := s.Text()
		return string(b), err
	case Number:
		return s.Float()
	case Bool:
		return s.Bool()
	default:
		return nil, s.Null()
	}
}

func read(b []byte) (any, error) {
	s := New(b)
	v, err := value(s)
	if err != nil {
		return nil, err
	}
	return v, s.End()
}

func TestReadsAsEncodingJSONDoes(t *testing.T) {
	for _, doc := range []string{
		`{}`, `[]`, ` { "a" : [ 1 , -0.5e+3 , "x\u00e9\n" , null , true , false ] } `, `"é"`, "\"\xff\"", `0`, `-0`,
		``, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1 2]`, `01`, `1.`, `.5`, `+1`, `1e`, `1e999`, `"`, `"\x"`, `"a` + "\n" + `"`,
		`nul`, `tru`, `truex`, `{} {}`, `{"a":1}x`, "\x00", `{"a":1` + "\x00", `NaN`, `{1:2}`, `"\ud800"`,
	} {
		compare(t, []byte(doc))
	}
}

func compare(t *testing.T, doc []byte) {
	t.Helper()
	var want any
	wantErr := json.Unmarshal(doc, &want)
	got, err := read(doc)
	if strings.Count(string(doc), "[")+strings.Count(string(doc), "{") > maxDepth && err != nil {
		return
	}
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("%q: err = %v, encoding/json has %v", doc, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: %#v, want %#v", doc, got, want)
	}
	if raw, err := New(doc).Raw(); wantErr == nil && (err != nil || strings.TrimSpace(string(doc)) != string(raw)) {
		t.Fatalf("%q: raw %q, %v", doc, raw, err)
	}
}

func TestPlainForEveryByte(t *testing.T) {
	b := []byte("0123456789abcdefgh")
	for i := range b {
		for c := range 256 {
			was := b[i]
			b[i] = byte(c)
			if got, want := plain(b), c >= 0x20 && c < 0x80 && c != '\\'; got != want {
				t.Fatalf("%q: %v, want %v", b, got, want)
			}
			b[i] = was
		}
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	if _, err := read([]byte(strings.Repeat("[", 1<<20))); err == nil {
		t.Error("a million brackets were accepted")
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"a":[1,-0.5e+3,"x\u00e9\n",null,true,false]}`))
	f.Fuzz(func(t *testing.T, doc []byte) { compare(t, doc) })
}

func TestFinite(t *testing.T) {
	for doc, want := range map[string]string{
		`{"a":NaN,"b":[-Infinity,Infinity , nan],"NaN":"NaN, \"nan","c":-inf}`: `{"a":null,"b":[null,null , null],"NaN":"NaN, \"nan","c":null}`,
		`NaN`: `null`, `{"a":null,"b":-1}`: `{"a":null,"b":-1}`, `nano`: `nano`, `{"a":"`: `{"a":"`, `-`: `-`, `"\`: `"\`, ``: ``, `[NANA,InFi]`: `[NANA,InFi]`,
	} {
		if got := Finite([]byte(doc)); string(got) != want {
			t.Errorf("%s: %s, want %s", doc, got, want)
		}
	}
}

// FuzzFinite: valid JSON stays as it is, and a second call changes nothing.
func FuzzFinite(f *testing.F) {
	f.Add([]byte(`{"a":NaN,"b":[-Infinity,inf],"NaN":"NaN, \"nan"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		got := Finite(doc)
		if json.Valid(doc) && string(got) != string(doc) {
			t.Fatalf("%q: %q", doc, got)
		}
		if again := Finite(got); string(again) != string(got) {
			t.Fatalf("%q: %q, then %q", doc, got, again)
		}
	})
}
