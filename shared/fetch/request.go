package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request returns the request to send. If old is not nil, the request is
// conditional on old being out of date.
func request(ctx context.Context, u *url.URL, header http.Header, old *Answer) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", u.Host, withoutURL(err))
	}
	if header != nil {
		req.Header = header.Clone()
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", userAgent)
	}
	if old != nil {
		if tag := old.Header.Get("Etag"); tag != "" {
			req.Header.Set("If-None-Match", tag)
		}
		if at := old.Header.Get("Last-Modified"); at != "" {
			req.Header.Set("If-Modified-Since", at)
		}
	}
	return req, nil
}

// redirect follows up to five redirects. It sends none of our headers to another
// host, since each may hold a key, and no Referer, since Go puts the old URL with its
// query into it.
func redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than 5 redirects")
	}
	req.Header.Del("Referer")
	if !SameHost(via[0].URL, req.URL) {
		req.Header = http.Header{"User-Agent": req.Header["User-Agent"], "Accept": req.Header["Accept"]}
	}
	return nil
}

// SameHost reports whether a header that was meant for one address may be sent to another: it
// has the same host, and is not less safe.
func SameHost(meant, other *url.URL) bool {
	return strings.EqualFold(meant.Host, other.Host) && (other.Scheme == meant.Scheme || other.Scheme == "https")
}

// withoutURL returns the cause of a url.Error without the URL, whose query may hold
// a key. It explains common causes in words.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[privateError](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the answer ended half-way: %w", err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("it closed the connection without an answer: %w", err)
	}
	return err
}

// parseRetryAfter returns how long after now the upstream wants no request, 0 if it
// does not say. Retry-After may be seconds, with a fraction (Discord), or a date. Others say
// with X-RateLimit-Reset when a limit that is spent is restored: a Unix time (GitHub), or in
// how many seconds (Reddit, and RateLimit-Reset of the IETF's draft).
func parseRetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if wait := inSeconds(v); wait > 0 {
		return wait
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return t.Sub(now)
	}
	for _, prefix := range []string{"X-Ratelimit-", "Ratelimit-"} {
		if left, err := strconv.ParseFloat(h.Get(prefix+"Remaining"), 64); err != nil || left > 0 {
			continue
		}
		reset := h.Get(prefix + "Reset")
		if wait := inSeconds(reset); wait > 0 {
			return wait
		}
		if s, err := strconv.ParseInt(reset, 10, 64); err == nil && time.Unix(s, 0).After(now) {
			return time.Unix(s, 0).Sub(now)
		}
	}
	return 0
}

// inSeconds reads a number of seconds; 0 if it is none, or one as large as a Unix time.
func inSeconds(v string) time.Duration {
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 && s < 1e7 {
		return time.Duration(s * float64(time.Second))
	}
	return 0
}
