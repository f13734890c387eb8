// Package fetch reads documents over HTTP: with deadlines, retries that honour
// Retry-After, conditional requests, a size cap, and errors without secrets.
package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	maxBody   = 10 << 20 // a larger answer is an error, not a truncated one
	perTry    = 8 * time.Second
	tries     = 3
	excerpt   = 4 << 10 // of an answer in an error; whoever shows it redacts it first and cuts it then
	userAgent = "hearth (home data platform)"
)

// Client asks upstreams. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	now   func() time.Time
	cache *cache
	memo  *memo                       // nil: none
	pass  func(context.Context) error // nil: every request may leave
}

// New returns a client with an empty cache, which those made of it share. now
// is the clock by which an upstream's "not before that moment" is understood.
func New(now func() time.Time) *Client {
	return &Client{now: now, http: &http.Client{CheckRedirect: redirect}, cache: &cache{answers: map[[32]byte]*Answer{}}}
}

// Answer is a 2xx answer, whole.
type Answer struct {
	Header http.Header
	Body   []byte
	URL    *url.URL // after redirects
}

// StatusError is an answer that came but was not 2xx.
type StatusError struct {
	Host       string
	Code       int
	RetryAfter time.Duration // 0: the upstream named none
	Body       string        // its first 4 KiB
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d: %q", e.Host, e.Code, e.Body)
}

// UpstreamError is an answer whose status was fine and whose content was not.
// Sources return it for an error told in the body of a 200.
type UpstreamError struct {
	Host, Message string
	Spent         bool // the upstream says that its quota is used up
	RetryAfter    time.Duration
}

func (e *UpstreamError) Error() string { return fmt.Sprintf("%s says: %q", e.Host, e.Message) }

// Get returns the answer to a GET of u. Network errors, 429 and 5xx are tried
// up to three times while ctx lasts. Its errors name the host alone: keys
// travel in query strings. Of a Memo the same question is asked once.
func (c *Client) Get(ctx context.Context, u *url.URL, header http.Header) (*Answer, error) {
	key := question(u, header)
	ask := func() (*Answer, error) {
		old := c.cache.lookup(key)
		a, err := c.retry(ctx, http.MethodGet, u, header, nil, old)
		if err == nil {
			c.cache.keep(key, a)
		}
		return a, err
	}
	if c.memo == nil {
		return ask()
	}
	return c.memo.once(key, ask)
}

// Post is Get with a body; it is neither cached nor remembered.
func (c *Client) Post(ctx context.Context, u *url.URL, header http.Header, body []byte) (*Answer, error) {
	return c.retry(ctx, http.MethodPost, u, header, body, nil)
}

// JSON gets u and decodes the answer into a T.
func JSON[T any](ctx context.Context, c *Client, u *url.URL, header http.Header) (T, http.Header, error) {
	var v T
	a, err := c.Get(ctx, u, header)
	if err != nil {
		return v, nil, err
	}
	if err := json.Unmarshal(a.Body, &v); err != nil {
		return v, a.Header, fmt.Errorf("decode %s: %w", u.Host, err)
	}
	return v, a.Header, nil
}

func question(u *url.URL, header http.Header) [32]byte {
	h := sha256.New()
	fmt.Fprintln(h, u)
	_ = header.Write(h) // a hash never fails
	return [32]byte(h.Sum(nil))
}

func (c *Client) retry(ctx context.Context, method string, u *url.URL, header http.Header, body []byte, old *Answer) (*Answer, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 300 * time.Millisecond
	for try := 1; ; try++ {
		a, err := c.once(ctx, method, u, header, body, old)
		if err == nil || !passing(err) || try == tries {
			return a, err
		}
		wait := max(pause.NextBackOff(), retryAfter(err))
		if end, ok := ctx.Deadline(); ok && time.Until(end) < wait+time.Second {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
}

// passing reports whether the same question may be answered in a moment.
func passing(err error) bool {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Code == http.StatusTooManyRequests && e.RetryAfter <= 5*time.Second || e.Code >= 500 && e.Code != http.StatusNotImplemented
	}
	if _, ok := errors.AsType[*gateError](err); ok {
		return false
	}
	return !errors.Is(err, errTooLarge) && !errors.Is(err, context.Canceled)
}

type gateError struct{ error }

func (e *gateError) Unwrap() error { return e.error }

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.RetryAfter
	}
	return 0
}

var errTooLarge = fmt.Errorf("more than %d MiB", maxBody>>20)

func (c *Client) once(ctx context.Context, method string, u *url.URL, header http.Header, body []byte, old *Answer) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, perTry)
	defer cancel()
	req, err := request(ctx, method, u, header, body, old)
	if err != nil {
		return nil, err
	}
	if c.pass != nil {
		if err := c.pass(ctx); err != nil {
			return nil, &gateError{err}
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, u.Host, withoutURL(err))
	}
	defer res.Body.Close()
	if old != nil && res.StatusCode == http.StatusNotModified {
		return old, nil
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case res.StatusCode/100 != 2:
		return nil, &StatusError{u.Host, res.StatusCode, parseRetryAfter(res.Header, c.now()), beginning(b)}
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", u.Host, withoutURL(err))
	case len(b) > maxBody:
		return nil, fmt.Errorf("read %s: %w", u.Host, errTooLarge)
	}
	return &Answer{res.Header, b, res.Request.URL}, nil
}

// beginning returns the first bytes of an answer. A word that the cut went
// through is left out: half a key would not be recognised as one. A key may hold
// every other character than a space.
func beginning(b []byte) string {
	if len(b) <= excerpt {
		return string(b)
	}
	b = b[:excerpt]
	return string(b[:max(bytes.LastIndexAny(b, " \t\r\n"), 0)])
}
