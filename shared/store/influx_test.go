package store_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// answer is an answer of InfluxDB 2.7, or of 1.8 if the test's name says so.
type answer struct {
	status int
	kind   string
	retry  string
	body   string
}

const asJSON = "application/json; charset=utf-8"

var writeAnswers = map[string]struct {
	answer
	want store.InfluxError
}{
	"partial": {answer{422, asJSON, "", `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"v\" on measurement \"m\" is type float, already exists as type integer dropped=1"}`},
		store.InfluxError{StatusCode: 422, Partial: true, Message: `field type conflict: input field "v" on measurement "m"`}},
	"partial_1.8": {answer{400, "application/json", "", `{"error":"partial write: field type conflict: input field \"v\" on measurement \"m\" is type float, already exists as type integer dropped=1"}`},
		store.InfluxError{StatusCode: 400, Partial: true, Message: `field type conflict: input field "v" on measurement "m"`}},
	"whole_batch": {answer{400, asJSON, "", `{"code":"invalid","message":"unable to parse 'm v=': missing field value"}`},
		store.InfluxError{StatusCode: 400, Message: "unable to parse 'm v=': missing field value"}},
	"token": {answer{401, asJSON, "", `{"code":"unauthorized","message":"unauthorized access"}`},
		store.InfluxError{StatusCode: 401, Message: "unauthorized access"}},
	"bucket": {answer{404, asJSON, "", `{"code":"not found","message":"bucket \"home\" not found"}`},
		store.InfluxError{StatusCode: 404, Message: `bucket "home" not found`}},
	"too_large": {answer{413, asJSON, "", `{"code":"request too large","message":"cannot read data: points batch is too large"}`},
		store.InfluxError{StatusCode: 413, Message: "points batch is too large"}},
	"too_many": {answer{429, asJSON, "17", `{"code":"too many requests","message":"org 1 has exceeded limited_write plan limit"}`},
		store.InfluxError{StatusCode: 429, RetryAfter: 17 * time.Second, Message: "exceeded limited_write plan limit"}},
	"unavailable": {answer{503, "text/plain", "3", "upstream connect error"},
		store.InfluxError{StatusCode: 503, RetryAfter: 3 * time.Second, Message: "upstream connect error"}},
	"proxy": {answer{502, "text/html", "", "<html>" + strings.Repeat("x", 1<<20)},
		store.InfluxError{StatusCode: 502, Message: "<html>"}},
}

func TestErrorsOfAWriteAreDistinguished(t *testing.T) {
	for name, tc := range writeAnswers {
		t.Run(name, func(t *testing.T) {
			err := influxAt(t, tc.answer.serve).Write(t.Context(), one)
			e, ok := errors.AsType[*store.InfluxError](err)
			if !ok {
				t.Fatalf("%v is not an InfluxError", err)
			}
			if e.StatusCode != tc.want.StatusCode || e.RetryAfter != tc.want.RetryAfter || e.Partial != tc.want.Partial {
				t.Errorf("%+v, want %+v", e, tc.want)
			}
			if !strings.Contains(err.Error(), tc.want.Message) || len(err.Error()) > 1000 {
				t.Errorf("%q, want one with %q", err, tc.want.Message)
			}
		})
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	at := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat) // clock: a server's date is by the real clock
	err := influxAt(t, answer{503, asJSON, at, `{"code":"unavailable","message":"x"}`}.serve).Write(t.Context(), one)
	if e, ok := errors.AsType[*store.InfluxError](err); !ok || e.RetryAfter <= 50*time.Minute {
		t.Errorf("%v", err)
	}
}

func TestWriteSendsLinesInBatches(t *testing.T) {
	var requests, lines atomic.Int32
	i := influxAt(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Path != "/api/v2/write" || r.URL.Query().Get("precision") != "ns" || r.URL.Query().Get("bucket") != "home" || r.Header.Get("Authorization") != "Token tok-very-secret" {
			t.Errorf("%s %s", r.URL, r.Header)
		}
		requests.Add(1)
		lines.Add(int32(strings.Count(string(body), "away v=1 ")))
		w.WriteHeader(http.StatusNoContent)
	})
	many := make([]reading.Reading, 12_000)
	for n := range many {
		many[n] = one[0]
		many[n].Time = noon.Add(time.Duration(n))
	}
	if err := i.Write(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if requests.Load() != 3 || lines.Load() != 12_000 {
		t.Errorf("%d requests with %d lines, want 3 with 12000", requests.Load(), lines.Load())
	}
	if err := i.Write(t.Context(), nil); err != nil || requests.Load() != 3 {
		t.Errorf("nothing to write: %v, %d requests", err, requests.Load())
	}
}

func TestReadingsAreDeletedByTheV2API(t *testing.T) {
	var bodies []string
	i := influxAt(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.URL.Path+" "+string(body))
		w.WriteHeader(http.StatusNoContent)
	})
	drop := func(i store.Series, name string) error {
		return i.DeleteRange(t.Context(), name, map[string]string{"sample": "true"}, time.Time{}, noon.AddDate(500, 0, 0))
	}
	for _, name := range []string{"weather", `odd"name`} {
		if err := drop(i, name); err != nil {
			t.Fatal(err)
		}
	}
	same(t, bodies, []string{
		`GET /ping `,
		`POST /api/v2/delete {"predicate":"_measurement=\"weather\" AND \"sample\"=\"true\"","start":"1900-01-01T00:00:00Z","stop":"2199-12-31T23:59:59.999999999Z"}`,
		`POST /api/v2/delete {"predicate":"_measurement=\"odd\\\"name\" AND \"sample\"=\"true\"","start":"1900-01-01T00:00:00Z","stop":"2199-12-31T23:59:59.999999999Z"}`,
	})
	missing := influxAt(t, writeAnswers["bucket"].answer.serve)
	err := drop(missing, "weather")
	if e, ok := errors.AsType[*store.InfluxError](err); !ok || e.StatusCode != 404 {
		t.Errorf("a missing bucket: %v", err)
	}
}

const csvHead = "#datatype,string,long,dateTime:RFC3339,double,string,string\r\n#group,false,false,false,false,true,true\r\n#default,_result,,,,,\r\n,result,table,_time,_value,_field,_measurement\r\n"

func TestBrokenAnswersToAQueryAreErrors(t *testing.T) {
	for name, a := range map[string]answer{
		"not_csv":      {200, "text/csv", "", "<html>\nwhat, is this\n"},
		"error_row":    {200, "text/csv", "", csvHead + "\r\n#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,query terminated,897\r\n"},
		"bad_number":   {200, "text/csv", "", csvHead + ",,0,2026-11-23T12:00:00Z,abc,v,m\r\n"},
		"bad_time":     {200, "text/csv", "", csvHead + ",,0,noon,1,v,m\r\n"},
		"server_error": {500, asJSON, "", `{"code":"internal error","message":"panic: oops"}`},
		"bad_query":    {400, asJSON, "", `{"code":"invalid","message":"error in building plan"}`},
	} {
		t.Run(name, func(t *testing.T) {
			i := influxAt(t, a.serve)
			if rs, err := over(i).Between(t.Context(), "m", nil, noon.Add(-time.Hour), noon); err == nil {
				t.Errorf("Between gives %v", rs)
			}
			if rs, err := i.Latest(t.Context(), "m", noon); err == nil {
				t.Errorf("Latest gives %v", rs)
			}
		})
	}
}

func TestAnswerCutShortIsAnError(t *testing.T) {
	i := influxAt(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		io.WriteString(w, csvHead+",,0,2026-11-23T12:00:00Z,1,v,m\r\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler) // the connection breaks in the middle
	})
	if rs, err := over(i).Between(t.Context(), "m", nil, noon.Add(-time.Hour), noon); err == nil {
		t.Errorf("a cut answer is no error: %v", rs)
	}
}

func (a answer) serve(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", a.kind)
	if a.retry != "" {
		w.Header().Set("Retry-After", a.retry)
	}
	if strings.Contains(a.body, `{"error":`) { // 1.8 sends the message in a header too
		w.Header().Set("X-Influxdb-Error", strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(a.body, `{"error":"`), `"}`), `\"`, `"`))
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

// over returns a store without SQL tables.
func over(i store.Series) *store.Store { return store.New(i, nil, nil, store.Postgres) }

func influxAt(t *testing.T, h http.HandlerFunc) store.Series {
	t.Helper()
	i, err := store.OpenInflux(store.Influx{URL: serve(t, h), Org: "home", Bucket: "home", Token: planted(t, "influx-token", "tok-very-secret")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// serve returns the URL of a server of h.
func serve(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
