package host

import (
	"net/http"

	gohttp "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/serve"
)

// Transform returns a Builder from the New of a golang-http function.
func Transform(build func(serve.Env) (func(gohttp.Request) (gohttp.Response, error), error)) Builder {
	return func(env serve.Env) (http.Handler, error) {
		f, err := build(env)
		if err != nil {
			return nil, err
		}
		return serve.Func(f, env.Env), nil
	}
}
