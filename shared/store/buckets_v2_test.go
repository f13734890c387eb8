package store_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hearth-home/hearth/shared/store"
)

const (
	orgID      = "0b4e1f0000000000"
	adminToken = "very-secret-admin"
	houseToken = "very-secret-house"
	emptyToken = "very-secret-empty" // of a token without rights
)

// api2 answers about buckets as InfluxDB 2.7 does: its API's documentation, and
// influxdata/influxdb tenant/http_server_bucket.go, http/write_handler.go. It is no InfluxDB:
// make test-influx2 uses a real one.
type api2 struct {
	t  *testing.T
	mu sync.Mutex
	// ids of the buckets by name, their retention in seconds, and which of them houseToken may
	// read and write.
	ids         map[string]string
	keeps       map[string]int
	read, write []string
	asked       []string // what changes something
	late        bool     // another call creates each bucket just before this one does
}

func newAPI2(t *testing.T, buckets ...string) *api2 {
	a := &api2{t: t, ids: map[string]string{}, keeps: map[string]int{}}
	for _, b := range buckets {
		a.add(b)
	}
	return a
}

func (a *api2) add(bucket string) { a.ids[bucket] = fmt.Sprintf("0c%014d", len(a.ids)) }

func (a *api2) open() store.Influx {
	server := httptest.NewServer(a)
	a.t.Cleanup(server.Close)
	return store.Influx{URL: server.URL, Org: "home", Bucket: "home", Token: planted(a.t, "influx-token", houseToken)}
}

func (a *api2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	refuse := func(status int, code, message string) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message})
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Token ")
	if r.URL.Path == "/ping" {
		w.Header().Set("X-Influxdb-Version", "v2.7.1")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !slices.Contains([]string{adminToken, houseToken, emptyToken}, token) {
		refuse(http.StatusUnauthorized, "unauthorized", "unauthorized access")
		return
	}
	q := r.URL.Query()
	if r.URL.Path != "/api/v2/buckets" || r.Method != http.MethodPost {
		if q.Get("org") != "home" {
			refuse(http.StatusNotFound, "not found", fmt.Sprintf("organization name %q not found", q.Get("org")))
			return
		}
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /api/v2/buckets":
		a.list(w, q.Get("name"), token, refuse)
	case "POST /api/v2/buckets":
		a.create(w, r, token, refuse)
	case "POST /api/v2/write":
		name := q.Get("bucket")
		switch {
		case a.ids[name] == "":
			refuse(http.StatusNotFound, "not found", fmt.Sprintf("bucket %q not found", name))
		case token != houseToken || !slices.Contains(a.write, name):
			refuse(http.StatusForbidden, "forbidden", "insufficient permissions for write")
		default:
			refuse(http.StatusBadRequest, "invalid", "writing requires points")
		}
	default:
		a.t.Errorf("%s %s", r.Method, r.URL)
	}
}

func (a *api2) list(w http.ResponseWriter, name, token string, refuse func(int, string, string)) {
	if a.ids[name] == "" {
		refuse(http.StatusNotFound, "not found", fmt.Sprintf("bucket %q not found", name))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if token == emptyToken || token == houseToken && !slices.Contains(a.read, name) {
		io.WriteString(w, `{"links":{"self":"/api/v2/buckets"},"buckets":[]}`)
		return
	}
	rules := `[]`
	if a.keeps[name] > 0 {
		rules = fmt.Sprintf(`[{"type":"expire","everySeconds":%d,"shardGroupDurationSeconds":86400}]`, a.keeps[name])
	}
	fmt.Fprintf(w, `{"links":{"self":"/api/v2/buckets"},"buckets":[{"id":%q,"orgID":%q,"type":"user","name":%q,"retentionRules":%s,"createdAt":"2026-01-01T00:00:00Z","links":{},"labels":[]}]}`,
		a.ids[name], orgID, name, rules)
}

func (a *api2) create(w http.ResponseWriter, r *http.Request, token string, refuse func(int, string, string)) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != "application/json" {
		a.t.Errorf("%v, %q", err, r.Header.Get("Content-Type"))
	}
	var b struct{ OrgID, Name string }
	if err := json.Unmarshal(body, &b); err != nil {
		a.t.Error(err)
	}
	a.asked = append(a.asked, string(body))
	if a.late && a.ids[b.Name] == "" {
		a.add(b.Name)
	}
	switch {
	case token != adminToken:
		refuse(http.StatusUnauthorized, "unauthorized", "write:orgs/"+orgID+"/buckets is unauthorized")
	case a.ids[b.Name] != "":
		refuse(http.StatusUnprocessableEntity, "conflict", "bucket with name "+b.Name+" already exists")
	default:
		a.add(b.Name)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":%q,"orgID":%q,"name":%q,"retentionRules":[]}`, a.ids[b.Name], orgID, b.Name)
	}
}

func TestMigrateInfluxCreatesTheBucketsIn2(t *testing.T) {
	a := newAPI2(t, "home")
	a.read, a.write = []string{"home"}, []string{"home"}
	c := a.open()
	text, err := migrated(t, c, "")
	says(t, text, err, "INFLUX_ADMIN_TOKEN is not set", "nothing is rolled up and no reading expires")
	if err != nil || strings.Contains(text, "\n") || len(a.asked) != 0 {
		t.Errorf("without a token: %v %s, %q", err, text, a.asked)
	}
	text, err = migrated(t, c, adminToken)
	says(t, text, err, "home_5m was created", "home_1h was created", "read and write these three buckets; to write includes to delete",
		"\n  influx auth create --org home --description 'functions of hearth' --read-bucket 0c00000000000000 --write-bucket 0c00000000000000"+
			" --read-bucket 0c00000000000001 --write-bucket 0c00000000000001 --read-bucket 0c00000000000002 --write-bucket 0c00000000000002\n",
		"INFLUX_TOKEN may not read and write home_5m, read and write home_1h.")
	same(t, a.asked, []string{`{"orgID":"` + orgID + `","name":"home_5m","retentionRules":[]}`, `{"orgID":"` + orgID + `","name":"home_1h","retentionRules":[]}`})
	if err != nil || strings.Contains(text, "Warning") {
		t.Errorf("%v %s", err, text)
	}
	a.read, a.write = []string{"home", "home_5m", "home_1h"}, []string{"home", "home_5m"}
	text, err = migrated(t, c, adminToken)
	says(t, text, err, "home_5m is there", "home_1h is there", "INFLUX_TOKEN may not write home_1h.")
	if text, _ = migrated(t, c, ""); !strings.Contains(text, "INFLUX_ADMIN_TOKEN is not set") {
		t.Error(text)
	}
	a.write = a.read
	text, err = migrated(t, c, adminToken)
	says(t, text, err, "INFLUX_TOKEN may do that already")
	text, err = migrated(t, c, "")
	says(t, text, err, "the buckets home_5m and home_1h are there, and the functions may use them")
	if len(a.asked) != 2 {
		t.Errorf("it creates again: %q", a.asked)
	}
	for token, want := range map[string]string{"": "InfluxDB does not accept INFLUX_TOKEN", "very-secret-wrong": "InfluxDB does not accept INFLUX_TOKEN", emptyToken: "INFLUX_TOKEN may not read and write home, read"} {
		c.Token = planted(t, "influx-token", token)
		text, err = migrated(t, c, adminToken)
		says(t, text, err, want)
	}
}

func TestMigrateInfluxIn2BesideAnotherCall(t *testing.T) {
	a := newAPI2(t, "home")
	a.late = true
	text, err := migrated(t, a.open(), adminToken)
	says(t, text, err, "home_5m is there", "home_1h is there", "--read-bucket 0c00000000000002")
	if err != nil || len(a.asked) != 2 {
		t.Errorf("%v, %q", err, a.asked)
	}
}

func TestMigrateInfluxRefusedBy2(t *testing.T) {
	a := newAPI2(t, "other")
	c := a.open()
	for _, tc := range []struct{ org, bucket, admin, want string }{
		{"home", "home", adminToken, "InfluxDB has no bucket home, or INFLUX_ADMIN_TOKEN may not read it: set INFLUX_BUCKET and INFLUX_ORG, or create it by influx bucket create --org home --name home --retention 0"},
		{"my house", "other", adminToken, "create it by influx bucket create --org 'my house' --name other --retention 0"},
		{"home", "other", emptyToken, "INFLUX_ADMIN_TOKEN may not read it"},
		{"home", "other", "very-secret-wrong", "InfluxDB answered 401: unauthorized access: INFLUX_ADMIN_TOKEN is wrong or may not do that"},
		{"home", "other", houseToken, "create the bucket other_5m: InfluxDB answered 401: write:orgs/" + orgID + "/buckets is unauthorized: INFLUX_ADMIN_TOKEN is wrong or may not do that. InfluxDB 2: a token that may read and write all buckets"},
	} {
		a.read = []string{"other"}
		c.Org, c.Bucket = tc.org, tc.bucket
		text, err := migrated(t, c, tc.admin)
		says(t, text, err, tc.want)
		if err == nil {
			t.Errorf("%+v: no error", tc)
		}
	}
	if a.ids["other_5m"] != "" {
		t.Error("a bucket was created")
	}
}

// A retention that somebody has set is told, and stays.
func TestMigrateInfluxWarnsOfARetentionIn2(t *testing.T) {
	a := newAPI2(t, "home", "home_1h")
	a.keeps["home"], a.keeps["home_1h"] = 30*24*3600, 3600
	text, err := migrated(t, a.open(), adminToken)
	says(t, text, err, "deletes what is older than 30 days in the bucket home.", "influx bucket update --id 0c00000000000000 --retention 0",
		"deletes what is older than 1h0m0s in the bucket home_1h.", "influx bucket update --id 0c00000000000001 --retention 0", "home_5m was created")
	if err != nil || strings.Count(text, "Warning") != 2 || len(a.asked) != 1 {
		t.Errorf("%v %s %q", err, text, a.asked)
	}
}

func TestMigrateInfluxWithoutAServer(t *testing.T) {
	c := store.Influx{URL: "http://127.0.0.1:1", Org: "home", Bucket: "home", Token: planted(t, "influx-token", houseToken)}
	if text, err := migrated(t, c, adminToken); err == nil || text != "" {
		t.Errorf("%v %s", err, text)
	}
	text, err := migrated(t, c, "")
	says(t, text, err, "INFLUX_ADMIN_TOKEN is not set")
	if err != nil {
		t.Errorf("without a token nothing has to be reached: %v", err)
	}
}
