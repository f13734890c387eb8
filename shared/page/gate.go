package page

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/secret"
)

// errForbidden is wrapped by the error of MayWrite that no token changes.
var errForbidden = errors.New(texts.Say("login.readOnly"))

// Tokens are the gates of a page that anybody may reach: who knows a token sends it in the
// header Authorization, as Bearer TOKEN.
type Tokens struct {
	Read  secret.String // needed to read; empty: anybody reads
	Write secret.String // needed to write; who has it may read, too. Empty: nobody writes
}

// MayRead returns an error that says what is missing.
func (t Tokens) MayRead(r *http.Request) error {
	read, write := matches(r, t.Read), matches(r, t.Write)
	if read || write {
		return nil
	}
	switch guards, err := guards(t.Read); {
	case err != nil:
		return err
	case !guards:
		return nil
	}
	if r.Header.Get("Authorization") != "" {
		return errors.New(texts.Say("login.wrongToRead", t.Read.Name(), t.Write.Name()))
	}
	return errors.New(texts.Say("login.toRead", t.Read.Name(), t.Write.Name()))
}

// MayWrite returns an error that says what is missing. It wraps errForbidden if there is no
// token with which one may write.
func (t Tokens) MayWrite(r *http.Request) error {
	switch {
	case matches(r, t.Write):
		return nil
	case !t.Write.Present():
		variable := strings.ToUpper(strings.ReplaceAll(t.Write.Name(), "-", "_"))
		return fmt.Errorf("%w%s", errForbidden, texts.Say("login.noToken", t.Write.Name(), variable))
	}
	switch {
	case matches(r, t.Read):
		return errors.New(texts.Say("login.onlyReads", t.Write.Name()))
	case r.Header.Get("Authorization") != "":
		return errors.New(texts.Say("login.wrongToWrite", t.Write.Name()))
	}
	return errors.New(texts.Say("login.toWrite", t.Write.Name()))
}

// guards reports whether there is a token in a secret. A secret that is there and cannot be
// read must not let everybody in: that is an error.
func guards(s secret.String) (bool, error) {
	if _, _, err := s.Read(1); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return true, errors.New(texts.Say("login.unreadable", s.Name()))
	}
	return s.Present(), nil
}

// matches compares the request's token in constant time. An empty secret matches none.
func matches(r *http.Request, s secret.String) bool {
	token := s.Reveal()
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && bearer && token != ""
}

var otherSites = http.NewCrossOriginProtection()

// mayWrite answers a request that is not allowed to change anything, and reports whether it is.
func (p *Page) mayWrite(w http.ResponseWriter, r *http.Request) bool {
	if err := p.fromThisPage(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return false
	}
	if p.MayWrite == nil {
		return true
	}
	switch err := p.MayWrite(r); {
	case errors.Is(err, errForbidden):
		http.Error(w, err.Error(), http.StatusForbidden)
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnauthorized)
	default:
		return true
	}
	return false
}

// fromThisPage returns an error for a request that the browser made for a page of another site.
// Behind a gateway the request's Host is not that of the address in the browser, so that Origin
// tells nothing; but a request needs the token there, which no other site can send.
func (p *Page) fromThisPage(r *http.Request) error {
	if p.MayWrite == nil {
		return otherSites.Check(r)
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return errors.New(texts.Say("login.otherSite"))
	}
	return nil
}

//go:embed login.html
var loginDocument string

var loginPage = template.Must(template.New("login").Funcs(texts.Funcs).Funcs(template.FuncMap{"asset": assetURL}).Parse(loginDocument))

// mayRead answers a request that is not allowed to read, and reports whether it is. A browser
// gets a page that asks for the token and then fetches with it what was asked for.
func (p *Page) mayRead(w http.ResponseWriter, r *http.Request) bool {
	if p.MayRead == nil || public[r.URL.Path] {
		return true
	}
	err := p.MayRead(r)
	if err == nil {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="hearth"`)
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return false
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	loginPage.Execute(w, err.Error()) // an error: the browser has gone
	return false
}

// public are the paths without data of the house.
var public = map[string]bool{"/status.css": true, "/status.js": true, "/favicon.svg": true, "/favicon.ico": true}
