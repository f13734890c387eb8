// Package fetch gets documents over HTTP. It adds deadlines, retries that honour
// Retry-After, conditional requests and a size cap. Its errors do not name
// the requested URL, which may hold a key.
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

	"github.com/hearth-home/hearth/shared/pause"
)

const (
	maxBody    = 10 << 20        // bytes of an answer, unless Most sets another limit
	maxValues  = 100_000         // values or tags of such an answer; each may take 500 bytes when it is decoded
	tryTimeout = 8 * time.Second // of one request
	maxTries   = 3
	maxExcerpt = 4 << 10 // bytes of an answer in an error; a caller that shows the error first redacts it, then shortens it
	userAgent  = "hearth (home data platform)"
)

// Client sends requests to upstreams. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	now   func() time.Time
	cache *cache
	memo  *memo                       // nil: none
	allow func(context.Context) error // called before each request; nil: all are allowed
	most  int                         // bytes of a decompressed answer; a larger one is an error
	any   bool                        // an answer may have more than maxValues
	// chosen: an upstream chose the addresses, which must not be in a private network.
	chosen bool
}

// New returns a client with an empty cache. The clients that Memo and Gate make
// of it share this cache. now is the clock for a Retry-After that is a date.
func New(now func() time.Time) *Client {
	return &Client{now: now, most: maxBody, http: &http.Client{Transport: newGuard(), CheckRedirect: redirect}, cache: &cache{answers: map[[32]byte]*Answer{}}}
}

// Answer is a complete answer with a 2xx status.
type Answer struct {
	Header http.Header
	Body   []byte
	URL    *url.URL // after redirects
}

// StatusError is an answer whose status is not 2xx.
type StatusError struct {
	Host       string
	Code       int
	RetryAfter time.Duration // 0: the answer has none
	Body       string        // its first 4 KiB
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d: %s", e.Host, e.Code, Describe(e.Body))
}

// UpstreamError is an error that an upstream reports in an answer's body, mostly with
// status 200. Sources return it.
type UpstreamError struct {
	Host, Message string
	Spent         bool          // the upstream reports that its quota is used up
	RetryAfter    time.Duration // 0: unknown
}

func (e *UpstreamError) Error() string { return fmt.Sprintf("%s answered: %q", e.Host, e.Message) }

// Get sends a GET request for u. After a network error, a 429 or a 5xx it retries,
// up to three tries in all, while ctx's deadline allows. Errors name the host but
// never the URL, since its query may hold a key. An answer that is not 2xx is a
// *StatusError. On a Memo client, identical requests are sent once.
func (c *Client) Get(ctx context.Context, u *url.URL, header http.Header) (*Answer, error) {
	key := requestKey(u, header, c.chosen)
	get := func() (*Answer, error) {
		old := c.cache.lookup(key)
		a, err := c.retry(ctx, u, header, old)
		if err == nil {
			c.cache.keep(key, a)
		}
		return a, err
	}
	if c.memo == nil {
		return get()
	}
	return c.memo.once(key, get)
}

// JSON gets u and decodes the answer into a T. It also returns the answer's header.
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

// requestKey identifies requests with the same URL and header, chosen by the same side.
func requestKey(u *url.URL, header http.Header, chosen bool) [32]byte {
	h := sha256.New()
	fmt.Fprintln(h, u, chosen)
	_ = header.Write(h) // writing to a hash never fails
	return [32]byte(h.Sum(nil))
}

// retry calls once until it succeeds, the error is not retryable, the tries are used
// up, or the wait would exceed ctx's deadline. old is a cached answer or nil.
func (c *Client) retry(ctx context.Context, u *url.URL, header http.Header, old *Answer) (*Answer, error) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = 300 * time.Millisecond
	for try := 1; ; try++ {
		a, err := c.once(ctx, u, header, old)
		if err == nil || !retryable(err) || try == maxTries {
			return a, err
		}
		wait := max(waits.NextBackOff(), retryAfter(err))
		if end, ok := ctx.Deadline(); ok && time.Until(end) < wait+time.Second {
			return nil, err
		}
		if !pause.For(ctx, wait) {
			return nil, err
		}
	}
}

// retryable reports whether the same request may succeed within seconds.
func retryable(err error) bool {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Code == http.StatusTooManyRequests && e.RetryAfter <= 5*time.Second || e.Code >= 500 && e.Code != http.StatusNotImplemented
	}
	if _, ok := errors.AsType[*gateError](err); ok {
		return false
	}
	if _, ok := errors.AsType[tooLarge](err); ok {
		return false
	}
	if _, ok := errors.AsType[privateError](err); ok {
		return false
	}
	return !errors.Is(err, errValues) && !errors.Is(err, context.Canceled)
}

// gateError is an error of a Gate's function. It is not retried.
type gateError struct{ error }

func (e *gateError) Unwrap() error { return e.error }

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.RetryAfter
	}
	return 0
}

// errValues is the error of an answer with more than maxValues.
var errValues = fmt.Errorf("the answer has more than %d values", maxValues)

// tooLarge is the error of an answer with more than so many bytes.
type tooLarge int

func (most tooLarge) Error() string {
	return fmt.Sprintf("the answer has more than %d MiB, the most that is read", most>>20)
}

// once sends one request. If old is not nil, the request is conditional, and a 304
// returns old.
func (c *Client) once(ctx context.Context, u *url.URL, header http.Header, old *Answer) (*Answer, error) {
	ctx, cancel := context.WithTimeout(withOrigin(ctx, c.chosen), tryTimeout)
	defer cancel()
	req, err := request(ctx, u, header, old)
	if err != nil {
		return nil, err
	}
	if c.allow != nil {
		if err := c.allow(ctx); err != nil {
			return nil, &gateError{err}
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", u.Host, withoutURL(err))
	}
	defer res.Body.Close()
	if old != nil && res.StatusCode == http.StatusNotModified {
		return old, nil
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, int64(c.most)+1))
	switch {
	case res.StatusCode/100 != 2:
		return nil, &StatusError{u.Host, res.StatusCode, parseRetryAfter(res.Header, c.now()), beginning(b)}
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", u.Host, withoutURL(err))
	case len(b) > c.most:
		return nil, fmt.Errorf("read %s: %w", u.Host, tooLarge(c.most))
	case !c.any && bytes.Count(b, []byte(","))+bytes.Count(b, []byte("<")) > maxValues:
		return nil, fmt.Errorf("read %s: %w", u.Host, errValues)
	}
	return &Answer{res.Header, b, res.Request.URL}, nil
}

// beginning returns at most the first maxExcerpt bytes of an answer, cut at a space:
// half of a key would not be recognised and redacted. A key has no space in it.
func beginning(b []byte) string {
	if len(b) <= maxExcerpt {
		return string(b)
	}
	b = b[:maxExcerpt]
	return string(b[:max(bytes.LastIndexAny(b, " \t\r\n"), 0)])
}
