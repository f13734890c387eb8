package function

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	apiVersion = "2022-11-28"
	perPage    = "100"
)

// api sends requests to GitHub.
type api struct {
	Config
	client *fetch.Client
	now    func() time.Time

	tokenEnds time.Time // as GitHub said in its answers; zero: never, or not known
}

// get requests a path below the API's URL. A spent rate limit, which GitHub reports with
// status 403 or 429, is a *fetch.UpstreamError:
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
func (a *api) get(ctx context.Context, path string, query url.Values) (*fetch.Answer, error) {
	u := a.URL.JoinPath(path)
	u.RawQuery = query.Encode()
	answer, err := a.client.Get(ctx, u, http.Header{
		"Accept":               {"application/vnd.github+json"},
		"Authorization":        {"Bearer " + a.Token.Reveal()},
		"X-Github-Api-Version": {apiVersion},
	})
	if e, ok := errors.AsType[*fetch.StatusError](err); ok && limited(e) {
		return nil, &fetch.UpstreamError{Host: e.Host, Message: fetch.Message(e.Body), Spent: true, RetryAfter: max(e.RetryAfter, time.Minute)}
	}
	if err == nil {
		a.tokenEnds = tokenEnd(answer.Header.Get("Github-Authentication-Token-Expiration"))
	}
	return answer, fetch.Explain(err, hints)
}

// tokenEnd parses when the token expires, in either of the two forms that GitHub sends:
// https://github.blog/changelog/2021-07-26-expiration-options-for-personal-access-tokens
func tokenEnd(s string) time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// token returns a reading of how long the token is valid, as of the beginning of the day,
// so that all targets and runs of a day store the same; none if it does not expire.
func (a *api) token() []reading.Reading {
	if a.tokenEnds.IsZero() {
		return nil
	}
	day := a.now().UTC().Truncate(24 * time.Hour)
	return []reading.Reading{{Name: "github_token", Fields: map[string]float64{"valid_seconds": a.tokenEnds.Sub(day).Seconds()}, Time: day}}
}

// hints explain a status code of GitHub. It answers 404 for what a token may not see.
var hints = map[int]string{
	http.StatusUnauthorized: "the token is not valid or has expired",
	http.StatusForbidden:    "the token may not read this: it lacks a permission, or the organization has not approved it",
	http.StatusNotFound:     "there is no such thing, or the token may not see it: check the name, and that the token is for this account or repository",
}

// limited reports whether e is a spent rate limit.
func limited(e *fetch.StatusError) bool {
	return e.Code == http.StatusTooManyRequests ||
		e.Code == http.StatusForbidden && (e.RetryAfter > 0 || strings.Contains(strings.ToLower(e.Body), "rate limit"))
}

// status returns the status code of a *fetch.StatusError, 0 for other errors.
func status(err error) int {
	if e, ok := errors.AsType[*fetch.StatusError](err); ok {
		return e.Code
	}
	return 0
}

var nextLink = regexp.MustCompile(`<([^>]*)>[^,]*;\s*rel="?next"?`)

// nextCursor returns the cursor of the next page in the Link header, "" on the last page.
// The rest of the link is ignored, so that the next request goes to the same host.
func nextCursor(h http.Header) (string, error) {
	m := nextLink.FindStringSubmatch(strings.Join(h.Values("Link"), ", "))
	if m == nil {
		return "", nil
	}
	u, err := url.Parse(m[1])
	if err != nil || u.Query().Get("after") == "" {
		return "", fmt.Errorf("the next page in the Link header has no cursor")
	}
	return u.Query().Get("after"), nil
}
