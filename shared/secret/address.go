package secret

import (
	"net/url"
	"regexp"
	"strings"
)

// Hide adds to what is redacted the secrets in the addresses of a setting, which is no secret
// as a whole: the password, a token in place of user and password, and the values of the query
// that may be tokens. An ordinary word or a number in a query is none, unless the name of its
// parameter says so: redacting it would make other texts unreadable.
func (f *Folder) Hide(setting string) {
	if f == nil || !strings.ContainsAny(setting, ":@") {
		return
	}
	for _, ends := range []*regexp.Regexp{toSpace, toSemicolon, withoutScheme} {
		for _, address := range ends.FindAllString(setting, -1) {
			for _, v := range secretsOf(address) {
				if strings.Contains(v, "://") { // an address in the query of another, or the next element
					f.Hide(v)
					continue
				}
				f.remember(v)
				for _, decode := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} { // + is a plus, or a space
					if decoded, err := decode(v); err == nil {
						f.remember(decoded)
					}
				}
			}
		}
	}
}

// An address in a setting ends at a space, and in some settings at a semicolon. One with a login
// may lack its scheme: home:password@host.
var (
	toSpace       = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://\S+`)
	toSemicolon   = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s;]+`)
	withoutScheme = regexp.MustCompile(`[^\s;,=:/@"']+:[^\s;/][^\s;]*@[^\s;]+`)
)

// secretsOf returns the secrets of an address, as they are written there.
func secretsOf(address string) (out []string) {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 && badPort.MatchString(rest[:end]) { // perhaps the password has a slash that is not escaped
		at = strings.LastIndexByte(rest, '@')
	}
	if at >= 0 {
		user, password, _ := strings.Cut(rest[:at], ":")
		if out = append(out, password); password == "" || random(user) {
			out = append(out, user)
		}
		rest = rest[at+1:]
	}
	i := strings.IndexAny(rest, "?#")
	if i < 0 {
		return out
	}
	for _, pair := range strings.FieldsFunc(rest[i+1:], func(r rune) bool { return strings.ContainsRune("&;?#", r) }) {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			name, value = "", pair
		}
		if len(value) >= 4 && secretName.MatchString(lowerWords(name)) || random(value) {
			out = append(out, value)
		}
	}
	return out
}

var (
	camel   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	badPort = regexp.MustCompile(`:[0-9]*[^0-9\]][^\]]*$`)
	// secretName matches the name of a parameter whose value is a secret even if it is an
	// ordinary word: api_key and authToken, but not keyword, author or s, WordPress' search.
	secretName = regexp.MustCompile(`^(?:k|t|p|pw|sig|sign|rss)$|(?:^|[^a-z]|api|auth|access|feed|rss|user|app|client|private|license)key$|token|secret|passw|passc|passphrase|hmac|pwd|(?:access|invite|login)_?code|pass(?:$|[^a-z])|(?:^|[^a-z])auth(?:$|[^a-z])|authoriz|signature|session(?:_?id)?$|(?:^|[^a-z])s?sid$|credential|jwt|private|login`)
	ordinary   = regexp.MustCompile(`^(?:[A-Za-z]?[a-z]*(?:[ ,.+_-]|%20|%2C|$))*$|^[0-9 ,.:+-]*$`) // words, or a number
)

// lowerWords returns a name in lower case, with a _ before each word of camelCase.
func lowerWords(name string) string { return strings.ToLower(camel.ReplaceAllString(name, "${1}_$2")) }

// random reports whether a value looks as if it were made by chance.
func random(value string) bool { return len(value) >= 6 && !ordinary.MatchString(value) }
