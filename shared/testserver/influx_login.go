package testserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// InfluxWithLogin starts an InfluxDB 1.8 of this test only, which requires a login. do runs an
// InfluxQL statement as its administrator, whose token is "admin:" and InfluxPassword.
func InfluxWithLogin(t testing.TB) (url string, do func(statement string)) {
	t.Helper()
	s, err := newInflux()
	if errors.Is(err, errMissing) || err == nil && !knowsLogin(s.path) {
		tool.Missing(t, noInflux)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.args = append(s.args, "-login")
	s.ready = func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr+"/ping", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Kill() })
	if err := influxQL(t.Context(), s.Addr, fmt.Sprintf("CREATE USER admin WITH PASSWORD '%s' WITH ALL PRIVILEGES", InfluxPassword)); err != nil {
		t.Fatal(err)
	}
	return "http://" + s.Addr, func(statement string) {
		t.Helper()
		if err := influxQL(t.Context(), "admin:"+InfluxPassword+"@"+s.Addr, statement); err != nil {
			t.Fatal(err)
		}
	}
}

// InfluxPassword is the administrator's.
const InfluxPassword = "very-secret-of-admin"

// knowsLogin reports whether the program was built after it has learned the flag.
func knowsLogin(path string) bool {
	help, _ := exec.Command(path, "-help").CombinedOutput() // it exits with 2
	return strings.Contains(string(help), "-login")
}
