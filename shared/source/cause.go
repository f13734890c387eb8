package source

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
)

// diedError is the error of all targets of a run that died, begun at this time.
type diedError string

func (e diedError) Error() string { return "the run of " + string(e) + " died before it finished" }

// cause returns the kind of an error that the owner can mend: a key that is refused, an
// address that is gone, an answer in another form. "": nobody can, and waiting helps: the
// upstream is down, busy or not to be reached. Texts with changing numbers are one kind.
func cause(err error) string {
	if spent, _ := isSpent(err, time.Time{}); spent || unreachable(err) {
		return ""
	}
	if e, ok := errors.AsType[*fetch.StatusError](err); ok {
		switch {
		case e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden || e.Code == http.StatusPaymentRequired || e.Code == http.StatusProxyAuthRequired:
			return "access"
		case e.Code == http.StatusNotFound || e.Code == http.StatusGone:
			return "missing"
		case e.Code >= 500 || e.Code == http.StatusRequestTimeout || e.Code == http.StatusTooEarly:
			return ""
		}
		return "request"
	}
	if _, ok := errors.AsType[*fetch.UpstreamError](err); ok {
		return "answer"
	}
	return "other"
}

// unreachable reports whether err is that of a connection, or of our own side.
func unreachable(err error) bool {
	for _, e := range []error{context.DeadlineExceeded, context.Canceled, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok { // refused, reset, no such host, no answer in time
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[diedError](err); ok {
		return true
	}
	_, ours := errors.AsType[*storeError](err)
	return ours
}
