package testserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

const noInflux = "the test InfluxDB is not built: cd tools/influxd && go build -o ../../.bin/influxd ."

// Influx returns the URL of an InfluxDB 1.8 and an empty bucket in it, beside which are
// the buckets of its roll-ups. The server accepts any organization and token. All tests of the process share one server.
func Influx(t testing.TB) (url, bucket string) {
	t.Helper()
	s, err := sharedInflux()
	if errors.Is(err, errMissing) {
		tool.Missing(t, noInflux)
	}
	if err != nil {
		t.Fatal(err)
	}
	return freshBucket(t, s)
}

// OwnInflux returns a server of this test only, which the test may stop and start, its
// URL and an empty bucket. It ends with the test.
func OwnInflux(t testing.TB) (s *Server, url, bucket string) {
	t.Helper()
	s, err := startInflux()
	if errors.Is(err, errMissing) {
		tool.Missing(t, noInflux)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Kill() })
	url, bucket = freshBucket(t, s)
	return s, url, bucket
}

var sharedInflux = sync.OnceValues(startInflux)

func startInflux() (*Server, error) {
	s, err := newInflux()
	if err != nil {
		return nil, err
	}
	return s, s.Start()
}

// newInflux returns a server that is not started.
func newInflux() (*Server, error) {
	path, err := influxBin()
	if err != nil {
		return nil, err
	}
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	addr, err := free.Find()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Addr: addr, Dir: dir, path: path, args: []string{"-addr", addr, "-dir", filepath.Join(dir, "data")},
		quit: syscall.SIGTERM, orphaned: syscall.SIGKILL,
	}
	s.ready = func(ctx context.Context) error { return influxQL(ctx, s.Addr, "SHOW DATABASES") }
	return s, nil
}

func freshBucket(t testing.TB, s *Server) (url, bucket string) {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(context.Background(), startDeadline)
	defer cancel()
	for _, suffix := range []string{"", "_5m", "_1h"} {
		if err := influxQL(ctx, s.Addr, "CREATE DATABASE "+name+suffix); err != nil {
			t.Fatal(err)
		}
	}
	return "http://" + s.Addr, name + "/autogen"
}

func influxQL(ctx context.Context, addr, q string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/query", strings.NewReader(url.Values{"q": {q}}.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if res.StatusCode != http.StatusOK || strings.Contains(string(body), `"error"`) {
		return fmt.Errorf("%s: %d: %s", q, res.StatusCode, body)
	}
	return nil
}

// influxBin looks for .bin/influxd in the working folder and its parents. It does not
// search the PATH: an influxd there is another program, with other flags.
func influxBin() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		p := filepath.Join(dir, ".bin", "influxd")
		if f, err := os.Stat(p); err == nil && f.Mode().IsRegular() {
			return p, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errMissing
		}
		dir = up
	}
}
