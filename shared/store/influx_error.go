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

// InfluxError is an error status that InfluxDB answered. A request without an answer
// fails with another error.
type InfluxError struct {
	StatusCode int           // 401 wrong token, 404 no bucket, 413 too large, 429 and 503 retry later, 400 and 422 do not retry
	RetryAfter time.Duration // 0: the answer does not say
	Partial    bool          // a part of the batch is stored; a retry cannot store the rest
	Message    string
}

func (e *InfluxError) Error() string {
	part := ""
	if e.Partial {
		part = " and stored a part"
	}
	return fmt.Sprintf("InfluxDB answered %d%s: %.500s", e.StatusCode, part, e.Message)
}

// influxError wraps err with the operation, what, and turns an error status into an
// InfluxError. A partial write is status 422 in InfluxDB 2.x and 400 in 1.8.
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

// failed is influxError, and says what to do about a certificate of the server.
func (i *influx) failed(what string, err error) error {
	if text := i.tls.Explain(err); text != "" {
		return fmt.Errorf("%s: %s", what, text)
	}
	return influxError(what, err)
}

func retryAfter(e *influxhttp.Error) time.Duration {
	v := e.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil && seconds > 0 && seconds < 1<<31 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at)) // clock: the server's date is by the real clock
	}
	return 0
}
