package deploy

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// The commands of every page run, in order: those that need a cluster or another machine
// are recorded and checked.
func TestTheCommandsOfEveryPage(t *testing.T) {
	for _, page := range pages(t) {
		if page == "docs/deploy-faasd.md" || page == "docs/deploy-k3s.md" {
			continue // TestDeployOnFaasd, TestDeployOnK3s
		}
		found := blocks(t, page)
		if !strings.Contains(read(t, page), "```sh\n") {
			continue
		}
		t.Run(page, func(t *testing.T) {
			s := newSandbox(t)
			write(t, s.dir, "root/var/lib/faasd/docker-compose.yaml", noServices)
			s.dotenv(t, found)
			if err := s.run(t, found); err != nil {
				t.Fatal(err)
			}
			checkCalls(t, page, s.calls(t))
		})
	}
}

// The steps of docs/deploy-faasd.md on a real PostgreSQL, a real Mosquitto and the real
// connector, which is started from the compose file that the steps have written.
func TestDeployOnFaasd(t *testing.T) {
	const page = "docs/deploy-faasd.md"
	found := blocks(t, page)
	s := newSandbox(t)
	server, got := s.faasd(t, found)
	s.influx(t, "127.0.0.1:8087")
	if err := s.run(t, found); err != nil {
		t.Fatal(err)
	}
	checkCalls(t, page, s.calls(t))
	mqtttest.Until(t, "the canary at the function", func() bool { return got.Seen()["hearth/canary/hearth-connector"] > 0 })
	s.migrate(t)
	s.migrateInflux(t)
	for query, want := range map[string]string{
		"SELECT setting FROM pg_file_settings WHERE name = 'listen_addresses' AND sourcefile LIKE '%.auto.conf'": "*",
		"SELECT count(*)::text FROM pg_hba_file_rules WHERE error IS NOT NULL":                                   "0",
		"SELECT auth_method FROM pg_hba_file_rules WHERE user_name = '{hearth}' AND database = '{hearth}'":       "scram-sha-256",
		"SELECT rolsuper::text FROM pg_roles WHERE rolname = 'hearth'":                                           "false",
	} {
		var value string
		if err := server.QueryRow(t.Context(), query).Scan(&value); err != nil || value != want {
			t.Errorf("%s = %q, %v; want %q", query, value, err, want)
		}
	}
}

// noServices is faasd's compose file before the steps.
const noServices = "services:\n  gateway:\n    image: gateway\n"

// faasd gives the sandbox what there is before the steps, and what the page has one write
// by hand.
func (s *sandbox) faasd(t *testing.T, found []block) (*pgx.Conn, *mqtttest.Tally) {
	t.Helper()
	services := noServices
	for _, b := range found {
		if b.language == "yaml" {
			services += b.text
		}
	}
	write(t, s.dir, "root/var/lib/faasd/docker-compose.yaml", services)
	for _, name := range []string{"basic-auth-user", "basic-auth-password"} {
		write(t, s.dir, "root/var/lib/faasd/secrets/"+name, "x")
	}
	s.dotenv(t, found)
	return s.postgres(t), s.chain(t)
}

// A step that is missing is noticed, and so is an unknown command.
func TestAMissingStepIsNoticed(t *testing.T) {
	found := blocks(t, "docs/deploy-faasd.md")
	for gone, want := range map[string]string{
		"sudo install -m 0644 /dev/stdin": "mqtt-password: no such file", "echo 'host hearth": "no pg_hba.conf entry",
	} {
		t.Run(gone, func(t *testing.T) {
			var without []block
			for _, b := range found {
				var lines []string
				for line := range strings.Lines(b.text) {
					if !strings.HasPrefix(line, gone) {
						lines = append(lines, line)
					}
				}
				b.text = strings.Join(lines, "")
				without = append(without, b)
			}
			s := newSandbox(t)
			s.faasd(t, without)
			if err := s.run(t, without); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("err = %v, want %q", err, want)
			}
		})
	}
	for _, command := range []string{"frobnicate --all", "sudo frobnicate", "true && frobnicate | cat", "echo $(frobnicate)"} {
		if err := newSandbox(t).run(t, []block{{page: "x.md", language: "sh", text: command + "\n"}}); err == nil || !strings.Contains(err.Error(), "frobnicate") {
			t.Errorf("%s: %v, want an error", command, err)
		}
	}
}

// The steps of docs/deploy-k3s.md: the broker and the connector are started from their
// manifests, ConfigMap and Secrets.
func TestDeployOnK3s(t *testing.T) {
	const page = "docs/deploy-k3s.md"
	s := newSandbox(t)
	got := s.chain(t)
	s.influx(t, "127.0.0.1:8086")
	found := blocks(t, page)
	s.dotenv(t, found)
	if err := s.run(t, found); err != nil {
		t.Fatal(err)
	}
	checkCalls(t, page, s.calls(t))
	mqtttest.Until(t, "the canary at the function", func() bool { return got.Seen()["hearth/canary/hearth-connector"] > 0 })
	s.migrateInflux(t)
}

// dotenv writes the page's settings to .env.
func (s *sandbox) dotenv(t *testing.T, found []block) {
	t.Helper()
	for _, b := range found {
		if b.language == "dotenv" {
			write(t, s.dir, "repo/.env", strings.ReplaceAll(b.text, "…", password))
		}
	}
}

// chain gives the sandbox a port for a broker, a gateway with a function, and the
// connector. It returns the topics of the messages that reach the function.
func (s *sandbox) chain(t *testing.T) *mqtttest.Tally {
	t.Helper()
	s.broker(t)
	gateway, got := mqtttest.NewGateway(t), &mqtttest.Tally{}
	gateway.Deploy("sensors", map[string]string{"topic": "hearth/#", "mqtt-batch": "100"}, func(c mqtttest.Call) (int, string) {
		got.Add(c.Topics...)
		return http.StatusOK, ""
	})
	s.env = append(s.env, "GATEWAY="+gateway.URL, "CONNECTOR="+connectorPath(t))
	t.Cleanup(func() { s.stopServices(t) })
	return got
}

// migrate does what the page's make migrate does.
func (s *sandbox) migrate(t *testing.T) {
	t.Helper()
	if err := store.Migrate(t.Context(), s.given(t, "DATABASE_URL")); err != nil {
		t.Errorf("migrate: %v", err)
	}
}

// given returns a variable that the page's make migrate was given last; those of InfluxDB from
// a call with INFLUX_ADMIN_TOKEN.
func (s *sandbox) given(t *testing.T, variable string) secret.String {
	t.Helper()
	v, err := os.ReadFile(filepath.Join(s.dir, variable))
	if err != nil {
		t.Fatal(err)
	}
	return secret.InMemory(map[string]string{variable: string(v)}, nil).Get(variable)
}

// influx gives the sandbox an InfluxDB 1.8 with a database of its own, in place of the one at
// the address.
func (s *sandbox) influx(t *testing.T, address string) {
	t.Helper()
	server, bucket := testserver.Influx(t)
	s.bucket = strings.TrimSuffix(bucket, "/autogen") + "x"
	s.replace = append(s.replace, address, strings.TrimPrefix(server, "http://"))
	res, err := http.PostForm(server+"/query", url.Values{"q": {`CREATE DATABASE "` + s.bucket + `"`}})
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
}

// migrateInflux does what the page's make migrate does, with the settings that it was given.
// As the page says, the token of the functions may then do everything.
func (s *sandbox) migrateInflux(t *testing.T) {
	t.Helper()
	c := store.Influx{URL: s.given(t, "INFLUX_URL").Reveal(), Org: "home", Bucket: s.bucket, Token: s.given(t, "INFLUX_ADMIN_TOKEN")}
	said, err := store.MigrateInflux(t.Context(), c, s.given(t, "INFLUX_ADMIN_TOKEN"))
	for _, want := range []string{s.bucket + "_5m was created", s.bucket + "_1h was created", "INFLUX_TOKEN may do that already"} {
		if text := strings.Join(said, "\n"); err != nil || !strings.Contains(text, want) {
			t.Errorf("migrate InfluxDB: %v\n%s\nwant %q", err, text, want)
		}
	}
}

// postgres gives the sandbox a PostgreSQL as Debian installs it: the superuser is
// postgres, and nobody else may log in yet. It returns a connection of that superuser.
func (s *sandbox) postgres(t *testing.T) *pgx.Conn {
	t.Helper()
	server, url := testserver.OwnPostgres(t)
	exec := func(c *pgx.Conn, statements ...string) {
		t.Helper()
		for _, sql := range statements {
			if _, err := c.Exec(t.Context(), sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	open := func(url string) *pgx.Conn {
		t.Helper()
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(context.Background()) })
		return c
	}
	first := open(url)
	exec(first, "CREATE ROLE postgres SUPERUSER LOGIN")
	var hba string
	if err := first.QueryRow(t.Context(), "SHOW hba_file").Scan(&hba); err != nil {
		t.Fatal(err)
	}
	first.Close(t.Context())
	if err := os.WriteFile(hba, []byte("host all postgres 127.0.0.1/32 trust\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	super := open("postgres://postgres@" + server.Addr + "/postgres?sslmode=disable")
	exec(super, "ALTER ROLE hearth RENAME TO nobody", "SELECT pg_reload_conf()")
	host, port, _ := net.SplitHostPort(server.Addr)
	s.env = append(s.env, "PG_HOST="+host, "PG_PORT="+port)
	s.replace = append(s.replace, "10.62.0.1:5432", server.Addr, "127.0.0.1:5433", server.Addr, "10.62.0.0/16", "127.0.0.0/8")
	return super
}
