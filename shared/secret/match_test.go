package secret

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// difficult are secrets with all the characters that somebody escapes.
var difficult = []string{
	`pl/ant+ed&"key'<1>% ü\$#`, `//slash//`, `a\b\\c\n\u0041`, `a%41b&amp;c&#65;d`, "日本語のパス🔑", `ends-in\`, `ends-in%`, `ends-in&`, `ends-in"`, `\begins`, `+begins+`,
	"two\nlines\tand tab", "plainSecret42", "ünïcödé", `&quot;`, `\\\\\\\\`, "a=b;c?d@e:f,g|h^i`j{k}l~m[n]o*p!q(r)",
}

func of(t testing.TB, values ...string) *Folder {
	t.Helper()
	byName := map[string]string{}
	for i, v := range values {
		byName[fmt.Sprint(i)] = v
	}
	return InMemory(byName, nil)
}

func TestASecretIsFoundInEveryEncodingOfEveryOther(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, v := range difficult {
		f := of(t, v)
		for _, inner := range encodings {
			for _, outer := range encodings {
				once := inner.write(v, r)
				for _, around := range [][2]string{{"key ", " refused"}, {`{"error":"`, `"}`}, {"<b>", "</b>"}, {"?k=", "&x=1"}, {"", ""}} {
					text := around[0] + outer.write(once, r) + around[1]
					if got, want := f.Redact(text), around[0]+redacted+around[1]; got != want {
						t.Errorf("%q as %s as %s: Redact(%q) = %q, want %q", v, inner.name, outer.name, text, got, want)
					}
				}
			}
		}
	}
}

// An upstream may repeat the header of a login, in which user and password are base64.
func TestASecretIsFoundInBase64AtEachPosition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, v := range append(difficult, "sixsix", "sevenxx", "eight888", "nine99999") {
		f := of(t, v)
		for _, hidden := range opaque {
			for before := range 7 {
				for after := range 4 {
					whole := hidden.write(strings.Repeat("u", max(0, before-1))+strings.Repeat(":", min(1, before))+v+strings.Repeat("z", after), r)
					for _, outer := range encodings {
						got := f.Redact("Authorization: Basic " + outer.write(whole, r) + "\n")
						if rest := strings.Replace(got, redacted, "", 1); rest == got || len(rest) > len("Authorization: Basic \n")+10*(2*(before+after)+6) {
							t.Errorf("%q in %s as %s: %q", v, hidden.name, outer.name, got)
						}
					}
				}
			}
		}
	}
}

// contains reports whether a text has v in one of its encodings. It is not the way in which
// Redact searches: it encodes v.
func contains(text, v string, r *rand.Rand) bool {
	for _, inner := range encodings {
		for _, outer := range encodings {
			if strings.Contains(text, outer.write(inner.write(v, r), r)) {
				return true
			}
		}
	}
	return strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(v)))
}

func FuzzRedact(f *testing.F) {
	for i, v := range difficult {
		f.Add(v, "before ", " after", uint64(i))
	}
	f.Fuzz(func(t *testing.T, v, before, after string, seed uint64) {
		v = strings.TrimSpace(v)
		if len(v) < short || len(v) > 200 || !utf8.ValidString(v) || strings.ContainsRune(v, utf8.RuneError) || strings.Contains(redacted, v) {
			t.Skip()
		}
		r := rand.New(rand.NewPCG(seed, 1))
		folder := of(t, v)
		in := v
		for range 1 + r.IntN(3) {
			in = encodings[r.IntN(len(encodings))].write(in, r)
		}
		got := folder.Redact(before + in + after)
		if contains(got, v, r) || !strings.Contains(got, redacted) {
			t.Errorf("Redact(%q) = %q still has %q", before+in+after, got, v)
		}
		if again := folder.Redact(got); again != got && !strings.Contains(redacted, v[:1]) && !strings.Contains(v, redacted) {
			t.Errorf("Redact(%q) = %q: a second time changes it", got, again)
		}
		if other := of(t, "none-of-"+v).Redact(before); other != before && !strings.Contains(before, "none-of-") {
			t.Errorf("%q has no secret, and became %q", before, other)
		}
	})
}

func TestATextWithoutASecretIsUnchanged(t *testing.T) {
	f := of(t, append(difficult, "https://hooks.slack.com/services/T0/B0/abcdefghij", "postgres://home:hunter-22@db/home", "4711")...)
	r := rand.New(rand.NewPCG(5, 6))
	words := strings.Fields(`% %% %2 %zz \ \\ \u \u00 \u00zz \x & &amp &amp; &#; &#x; &#x41; + ++ ü é � plain Secret42 slash ends https:// hooks.slack.com home db 47 11 {"a":"b\n\/c"} lines 日本`)
	for range 2000 {
		var b strings.Builder
		for range 1 + r.IntN(30) {
			b.WriteString(words[r.IntN(len(words))] + []string{"", " ", "\n"}[r.IntN(3)])
		}
		if text := b.String(); f.Redact(text) != text && !strings.Contains(text, "plainSecret42") && !strings.Contains(text, "4711") {
			t.Errorf("Redact(%q) = %q", text, f.Redact(text))
		}
	}
}

func TestTheBeginningOfASecretIsFoundAtTheEndOfACutText(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, v := range difficult {
		f := of(t, v)
		for _, e := range append(encodings, opaque...) {
			whole := e.write(v, r)
			for n := range len(whole) + 1 {
				text := "bad key: " + whole[:n]
				got := strings.TrimPrefix(f.RedactCut(text), "bad key: ")
				if left := len(got); got != redacted && left > len(e.write(v[:min(4, len(v)/2)+3], r))+maxEscape {
					t.Errorf("%q as %s: RedactCut(%q) = %q", v, e.name, text, got)
				}
				if n == len(whole) && got != redacted {
					t.Errorf("%q as %s: RedactCut(%q) = %q, and nothing is cut", v, e.name, text, got)
				}
			}
		}
	}
	f := of(t, "https://hooks.slack.com/services/T0/B0/abcdefghij", "plainSecret42")
	for text, want := range map[string]string{
		"see https://": "see https://", "see https://ho": "see https://ho", "a pla": "a pla", "a plai": "a [secret]", "a plain text": "a plain text", "plainSecret42 plain": "[secret] [secret]",
	} {
		if got := f.RedactCut(text); got != want {
			t.Errorf("RedactCut(%q) = %q, want %q", text, got, want)
		}
	}
	if got := f.Redact("a plai"); got != "a plai" {
		t.Errorf("Redact of a text that is not cut: %q", got)
	}
}

// Another program may cut a text within a secret: a URL parser at a #, or a log that breaks
// its lines.
func TestALargePartOfASecretIsFoundEverywhere(t *testing.T) {
	f := of(t, "plainSecret42-and#more", "https://hooks.slack.com/services/T0/B0/abcdefghij", "host=database.home port=5432 password=x")
	for text, want := range map[string]string{
		`bad "plainSecret42-and" here`: `bad "[secret]" here`, "plainSecret42%2dand…": "[secret]…", "plainSecret4": "[secret]", "plainSecret": "plainSecret",
		"see https://hooks.slack.com/services/": "see https://hooks.slack.com/services/", "cGxhaW5TZWNyZXQ0Mi1hbm": "[secret]",
		"key plainSecret42\n-and#more here": "key [secret]\n-and#more here", "Secret42-and%23more!": "Sec[secret]!", "a nSecret42-and\n": "a [secret]\n", "host=database.home port=5432": "host=database.home port=5432",
	} {
		if got := f.Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestOverlappingSecretsAreReplacedTogether(t *testing.T) {
	f := of(t, "abcdef-ghijkl", "ghijkl-mnopqr", "klmnop")
	if got := f.Redact("x abcdef-ghijkl-mnopqr y abcdef-ghijklmnop z"); got != "x [secret] y [secret] z" {
		t.Errorf("%q", got)
	}
}

// Whoever writes the text must not be able to make the search slow: the work for each byte
// is bounded. Without a bound, these texts take hours.
func TestNoTextMakesTheSearchSlow(t *testing.T) {
	f := of(t, difficult...)
	for _, part := range []string{`\`, "%", "%25", "&", "&amp;", "+", "%5C", `\u005c`, `\\u005c`, "&#92;", "%%32%35", "&amp;amp;#3", "ends", `ends\`, "%2541", "\u00c3", "\uFFFD"} {
		text := strings.Repeat(part, 20_000/len(part))
		if got := f.Redact(text); len(got) == 0 {
			t.Errorf("%q: nothing is left", part)
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	f := of(b, append(difficult, "https://hooks.slack.com/services/T0/B0/abcdefghij", "postgres://home:hunter-22@db/home")...)
	for name, text := range map[string]string{
		"log":     `{"time":"2026-11-27T12:00:00Z","level":"INFO","msg":"run","function":"weather","run":"a1b2","status":"ok","code":200,"stored":12,"unchanged":0,"took_ms":231}` + "\n",
		"escapes": `{"level":"WARN","err":"api.example answered 401: \"{\\\"error\\\":\\\"invalid key\\\",\\\"url\\\":\\\"https:\\\\/\\\\/api.example\\\\/v1?lat=52%2C5&amp;x=%20\\\"}\""}` + "\n",
		"page":    strings.Repeat(`<tr><td class="a">Zimmer &amp; Küche</td><td>21.5&nbsp;°C</td></tr>`+"\n", 1000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				f.Redact(text)
			}
		})
	}
}

// An upstream may write the secret into a page without escaping it.
func TestASecretIsRedactedAsAPageShowsIt(t *testing.T) {
	for secret, texts := range map[string][]string{
		`T0k/en"<x>&y1`:                     {`T0k/en"&y1`, `T0k/en" &y1`},
		"x&lt;y&amp;z9":                     {"x<y&z9"},
		"two  spaces 1":                     {"two spaces 1"},
		"1<!-- a -->23<b class='c'>456</b>": {"123456", "1 23 456"},
	} {
		f := InMemory(map[string]string{"key": secret}, nil)
		for _, text := range append(texts, secret) {
			if got := f.Redact("refused: " + text + "."); got != "refused: "+redacted+"." {
				t.Errorf("%q: %q", secret, got)
			}
		}
	}
}

// With no bound of the search in all, each of these takes minutes.
func TestASecretAfterALongHostileTextIsFound(t *testing.T) {
	f := of(t, `\\\\\\\\\\\\\\\\\\\\`, "ääääääääääääää", "plainSecret42")
	for _, part := range []string{`\`, "\uFFFD", "%5c"} {
		got := f.Redact(strings.Repeat(part, 1<<20/len(part)) + " and plain%53ecret42.")
		if !strings.HasSuffix(got, " and "+redacted+".") || strings.Count(got, part) > 20 {
			t.Errorf("%q: %d bytes, %q", part, len(got), got[max(0, len(got)-40):])
		}
	}
}

func TestTheWordsOfSettingsStayReadable(t *testing.T) {
	f := of(t, `{"devices":[{"topic":"tele/+/SENSOR","measurement":"climate","fields":{"temperature_celsius":"$.t"}}]}`)
	const text = `no mapping of measurement temperature_celsius for "topic":"tele/+/SENSOR"`
	if got := f.Redact(text); got != text {
		t.Error(got)
	}
}
