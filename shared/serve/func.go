package serve

import (
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/config"
)

// maxBody is four times the connector's largest batch, in bytes.
const maxBody = 4 << 20

// Func returns the handler that calls a golang-http function f. A request body larger
// than the variable max_body_bytes (default 4 MiB) is answered with 413, without a
// call of f. An error of f is logged and answered with 500.
func Func(f func(handler.Request) (handler.Response, error), e config.Env) http.Handler {
	limit := int64(maxBody)
	if n, err := strconv.ParseInt(e.Vars["max_body_bytes"], 10, 64); err == nil && n > 0 {
		limit = n
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil { // the caller closed the connection: nobody reads this answer
			http.Error(w, "read the body: "+err.Error(), http.StatusBadRequest)
			return
		}
		req := handler.Request{Body: body, Header: r.Header, QueryString: r.URL.RawQuery, Method: r.Method, Host: r.Host}
		req.WithContext(r.Context())
		res, err := f(req)
		answer(w, res, err, e.Log)
	})
}

// answer writes f's response.
func answer(w http.ResponseWriter, res handler.Response, err error, log *slog.Logger) {
	maps.Copy(w.Header(), res.Header)
	switch {
	case err != nil:
		log.Error("function", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
	case res.StatusCode != 0:
		w.WriteHeader(res.StatusCode)
	}
	w.Write(res.Body)
}
