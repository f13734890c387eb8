package store

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// InfluxError is an answer of InfluxDB that is not success. A request that got
// no answer is another error.
type InfluxError struct {
	StatusCode int           // 401 token, 404 bucket, 413 too large, 429 and 503 later, 400 and 422 never
	RetryAfter time.Duration // 0: not said
	Partial    bool          // a part of the batch is stored, the rest never will be
	Message    string
}

func (e *InfluxError) Error() string {
	part := ""
	if e.Partial {
		part = ", stored a part"
	}
	return fmt.Sprintf("InfluxDB answered %d%s: %.500s", e.StatusCode, part, e.Message)
}

// Later reports that the same request may succeed after a while.
func (e *InfluxError) Later() bool {
	return e.StatusCode == http.StatusTooManyRequests || e.StatusCode >= 500
}

// influxError says what was tried and types the answer. A partial write is 422
// in 2.x and 400 in 1.8, where a 400 stores the good lines as well.
func influxError(what string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*influxhttp.Error](err)
	if !ok || e.StatusCode == 0 {
		return fmt.Errorf("%s: %w", what, err)
	}
	answer := &InfluxError{StatusCode: e.StatusCode, RetryAfter: retryAfter(e), Message: e.Message}
	if answer.Message == "" {
		answer.Message = e.Error()
	}
	answer.Message = strings.TrimSpace(answer.Message)
	answer.Partial = e.StatusCode == http.StatusUnprocessableEntity || strings.Contains(answer.Message, "partial write")
	return fmt.Errorf("%s: %w", what, answer)
}

func retryAfter(e *influxhttp.Error) time.Duration {
	v := e.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil && seconds > 0 && seconds < 1<<31 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at)) // clock: a server's date is by the real one
	}
	return 0
}
