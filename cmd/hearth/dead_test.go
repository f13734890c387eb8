package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
)

// connectorToken runs dead list at this machine and, by a proxy, elsewhere: with the token that
// a platform left in its state folder, which is for the running platform only, and with one that
// the user sets.
func connectorToken(t *testing.T, p commandtest.Program) {
	received := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received <- r.Header.Get("Authorization")
		fmt.Fprint(w, "[]")
	}))
	defer srv.Close()
	p.Dir = repository(t)
	secrets := filepath.Join(p.Dir, ".hearth", "secrets")
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(secrets, "connector-token"), "kept")
	p.Env = append(slices.Clone(p.Env), "HTTP_PROXY="+srv.URL)
	users := p
	users.Env = append(slices.Clone(p.Env), "CONNECTOR_TOKEN=set")
	for _, c := range []struct {
		p    commandtest.Program
		at   string
		code int
		want string // the token that is sent; "": none
	}{
		{p, srv.URL, command.Done, "Bearer"},
		{p, "http://house.example:8081", command.Misuse, ""},
		{users, srv.URL, command.Done, "Bearer set"},
		{users, "http://house.example:8081", command.Done, "Bearer set"},
	} {
		for _, args := range [][]string{{"dead", "list", "--at", c.at}, {"__complete", "dead", "--at", c.at, "show", ""}} {
			code, out, errs := c.p.Run(t, args...)
			got := ""
			for len(received) > 0 {
				got = <-received
			}
			if got != c.want || args[0] == "dead" && code != c.code {
				t.Errorf("%q: %d %s%s, sent %q, want %q", args, code, out, errs, got, c.want)
			}
		}
	}
}
