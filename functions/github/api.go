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

// api asks GitHub.
type api struct {
	Config
	client *fetch.Client
	now    func() time.Time
}

// get asks for a path below the API's URL. A spent limit is an UpstreamError:
// GitHub tells it as 403 or 429. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
func (a *api) get(ctx context.Context, path string, query url.Values) (*fetch.Answer, error) {
	u := a.URL.JoinPath(path)
	u.RawQuery = query.Encode()
	answer, err := a.client.Get(ctx, u, http.Header{
		"Accept":               {"application/vnd.github+json"},
		"Authorization":        {"Bearer " + a.Token.Reveal()},
		"X-Github-Api-Version": {apiVersion},
	})
	if e, ok := errors.AsType[*fetch.StatusError](err); ok && limited(e) {
		return nil, &fetch.UpstreamError{Host: e.Host, Message: e.Body, Spent: true, RetryAfter: max(e.RetryAfter, time.Minute)}
	}
	return answer, err
}

func limited(e *fetch.StatusError) bool {
	return e.Code == http.StatusTooManyRequests ||
		e.Code == http.StatusForbidden && (e.RetryAfter > 0 || strings.Contains(strings.ToLower(e.Body), "rate limit"))
}

// status returns the code of an answer that was not 2xx.
func status(err error) int {
	if e, ok := errors.AsType[*fetch.StatusError](err); ok {
		return e.Code
	}
	return 0
}

var nextLink = regexp.MustCompile(`<([^>]*)>[^,]*;\s*rel="?next"?`)

// nextCursor returns the cursor of the next page that the Link header names,
// "" on the last. The cursor alone is taken: we go on asking the same host.
func nextCursor(h http.Header) (string, error) {
	m := nextLink.FindStringSubmatch(strings.Join(h.Values("Link"), ", "))
	if m == nil {
		return "", nil
	}
	u, err := url.Parse(m[1])
	if err != nil || u.Query().Get("after") == "" {
		return "", fmt.Errorf("the Link header names a next page without a cursor")
	}
	return u.Query().Get("after"), nil
}
