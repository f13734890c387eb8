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
	return answer, fetch.Explain(err, hints)
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
