package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	influxdb "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"

	"github.com/hearth-home/hearth/shared/certificate"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
)

const (
	influxDeadline = 8 * time.Second // of one request
	batchLines     = 5000            // in one write, as InfluxDB recommends
	maxErrorBytes  = 64 << 10        // read of an error's body
)

// influx stores readings in InfluxDB 2, or in 1.8 through its v2 API.
type influx struct {
	client      influxdb.Client
	write       api.WriteAPIBlocking
	org, bucket string
	tls         certificate.Server
	version     *atomic.Pointer[string]   // of the server, nil until it has answered
	rolled      map[time.Duration]*influx // the same server with the bucket of the roll-ups, by resolution
	ready       atomic.Bool               // those buckets can be used
}

// openInflux returns a Series that stores readings in InfluxDB. It does no I/O.
func openInflux(c Influx) (Series, error) {
	u, err := config.URL(c.URL)
	if err != nil {
		return nil, errors.New("INFLUX_URL is not an http or https URL such as http://influxdb:8086")
	}
	server, authorities, err := c.authority(u)
	if err != nil {
		return nil, err
	}
	// No compression: in a local network it costs both sides more than sending.
	options := influxdb.DefaultOptions().SetUseGZip(false).SetPrecision(time.Nanosecond).SetHTTPClient(&http.Client{
		Transport: &authorized{token: c.Token, next: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second,
			TLSClientConfig:     &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost: 4,
			IdleConnTimeout:     90 * time.Second,
		}},
	})
	client := influxdb.NewClientWithOptions(c.URL, "", options)
	version := new(atomic.Pointer[string])
	in := func(bucket string) *influx {
		return &influx{client: client, write: client.WriteAPIBlocking(c.Org, bucket), org: c.Org, bucket: bucket, tls: server, version: version}
	}
	i := in(c.Bucket)
	i.rolled = map[time.Duration]*influx{}
	for _, resolution := range []time.Duration{FiveMinutes, Hour} {
		i.rolled[resolution] = in(rollupBucket(c.Bucket, resolution))
	}
	return i, nil
}

// authority returns how to explain the server's certificate, and the authorities that may
// have signed it; nil: the system's.
func (c Influx) authority(u *url.URL) (certificate.Server, *x509.CertPool, error) {
	name := "the secret " + c.CA.Name() + " (INFLUX_CA_FILE in .env)"
	server := certificate.Server{Host: u.Host, Address: "INFLUX_URL", Authority: name, Own: c.CA.Present()}
	switch {
	case !server.Own:
		return server, nil, nil
	case !strings.HasPrefix(u.String(), "https:"):
		return server, nil, fmt.Errorf("%s is set, but INFLUX_URL begins with http://, which uses no TLS: write https://, or empty the secret", name)
	}
	pool, err := certificate.Authorities(name, []byte(c.CA.Reveal()))
	return server, pool, err
}

// authorized adds the token to each request. It reads the token each time, so that a
// changed token needs no restart. It also bounds the body of an error answer.
type authorized struct {
	token secret.String
	next  http.RoundTripper
}

func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	if token := a.token.Reveal(); token != "" {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Token "+token)
	}
	res, err := a.next.RoundTrip(req)
	if err == nil && res.StatusCode >= 300 {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxErrorBytes), res.Body}
	}
	return res, err
}

// Write sends rs as line protocol with times in nanoseconds. If InfluxDB stores only a
// part of a batch, Write returns an error.
func (i *influx) Write(ctx context.Context, rs []reading.Reading) error {
	rs, err := Normal(rs)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(rs, batchLines) {
		lines := make([]string, len(chunk))
		for n, r := range chunk {
			lines[n] = r.Line()
		}
		if err := i.writeLines(ctx, "write readings", lines...); err != nil {
			return err
		}
	}
	return nil
}

func (i *influx) writeLines(ctx context.Context, what string, lines ...string) error {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	return i.failed(what, i.write.WriteRecord(ctx, lines...))
}

// DeleteRange deletes by the v2 API. InfluxDB 1.x has no such call, so there it deletes
// by InfluxQL.
func (i *influx) DeleteRange(ctx context.Context, name string, tags map[string]string, from, to time.Time) error {
	if err := CheckDelete(name, tags); err != nil || !clamp(from).Before(clamp(to)) {
		return err
	}
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return err
	}
	if v1 {
		return i.deleteV1(ctx, name, tags, from, to)
	}
	condition := `_measurement=` + ident(name)
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		condition += ` AND ` + ident(k) + `=` + ident(tags[k])
	}
	body, err := json.Marshal(map[string]string{
		"start":     clamp(from).Format(time.RFC3339Nano),
		"stop":      clamp(to).Add(-1).Format(time.RFC3339Nano), // inclusive
		"predicate": condition,
	})
	if err != nil {
		return err
	}
	q := url.Values{"org": {i.org}, "bucket": {i.bucket}}
	return i.post(ctx, "delete readings of "+name, i.client.HTTPService().ServerAPIURL()+"delete?"+q.Encode(), "application/json", string(body), nil)
}

var predicate = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// post sends a request and passes the response of a success to answer, if not nil.
func (i *influx) post(ctx context.Context, what, url, kind, body string, answer func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	// DoPostRequest returns a pointer: returned directly, its nil would be a non-nil error.
	if err := i.client.HTTPService().DoPostRequest(ctx, url, strings.NewReader(body),
		func(req *http.Request) { req.Header.Set("Content-Type", kind) },
		func(res *http.Response) error {
			defer res.Body.Close()
			if answer == nil {
				return nil
			}
			return answer(res)
		}); err != nil {
		return i.failed(what, err)
	}
	return nil
}

// Ping returns an error unless the server answers.
func (i *influx) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	_, err := i.client.Ping(ctx)
	return i.failed("ping InfluxDB", err)
}

// Close closes the idle connections.
func (i *influx) Close() error {
	i.client.Close()
	return nil
}
