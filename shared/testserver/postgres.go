package testserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// PostgresPassword is the password in every URL that Postgres returns. A test can search
// for it in logs and answers, where it must not appear.
const PostgresPassword = "pg-password-of-the-tests"

var errMissing = errors.New("not installed")

// Postgres returns the URL of an empty database. All tests of the process share one
// server.
func Postgres(t testing.TB) string {
	t.Helper()
	s, err := sharedPostgres()
	if errors.Is(err, errMissing) {
		tool.Missing(t, noPostgres)
	}
	if err != nil {
		t.Fatal(err)
	}
	url, err := freshDatabase(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// OwnPostgres returns a server of this test only, which the test may stop and start, and
// the URL of an empty database in it. args are added to the server's arguments; without
// "-c", "fsync=on" it runs without fsync. It ends with the test.
func OwnPostgres(t testing.TB, args ...string) (*Server, string) {
	t.Helper()
	s, err := startPostgres(args)
	if errors.Is(err, errMissing) {
		tool.Missing(t, noPostgres)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Kill() })
	url, err := freshDatabase(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return s, url
}

const noPostgres = "PostgreSQL is not installed: apt-get install postgresql"

var sharedPostgres = sync.OnceValues(func() (*Server, error) { return startPostgres(nil) })

func startPostgres(args []string) (*Server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	credential, err := credential(dir)
	if err != nil {
		return nil, err
	}
	addr, err := free.Find()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "hearth", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	_, port, _ := net.SplitHostPort(addr)
	s := &Server{
		Addr: addr, Dir: dir,
		path: filepath.Join(bin, "postgres"),
		args: append([]string{"-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
			"-c", "fsync=off", "-c", "max_connections=100"}, args...),
		user: credential, quit: syscall.SIGINT, orphaned: syscall.SIGQUIT, // SIGKILL would leave its shared memory behind
	}
	s.ready = func(ctx context.Context) error {
		c, err := pgx.Connect(ctx, postgresURL(s.Addr, "postgres"))
		if err != nil {
			return err
		}
		return c.Close(ctx)
	}
	return s, s.Start()
}

func postgresURL(addr, database string) string {
	return "postgres://hearth:" + PostgresPassword + "@" + addr + "/" + database + "?sslmode=disable"
}

func freshDatabase(ctx context.Context, s *Server) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	c, err := pgx.Connect(ctx, postgresURL(s.Addr, "postgres"))
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	name := "test_" + strings.ToLower(rand.Text())
	if _, err := c.Exec(ctx, "create database "+name+" template template0"); err != nil {
		return "", err
	}
	return postgresURL(s.Addr, name), nil
}

// postgresBin returns the folder of the newest installed server. Debian does not put it
// on the PATH.
func postgresBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if p, err := exec.LookPath("postgres"); err == nil {
		found = append(found, p)
	}
	found = slices.DeleteFunc(found, func(p string) bool {
		_, err := os.Stat(filepath.Join(filepath.Dir(p), "initdb"))
		return err != nil
	})
	if len(found) == 0 {
		return "", errMissing
	}
	slices.SortFunc(found, func(a, b string) int { return len(a) - len(b) }) // /9.6/ before /15/
	return filepath.Dir(found[len(found)-1]), nil
}

// credential returns the user that runs the server if the test runs as root, since
// PostgreSQL refuses to run as root. That user becomes the owner of dir. For another
// user it returns nil.
func credential(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
