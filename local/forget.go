package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// cmdForget removes a function that was taken away from what is shown and
// watched.
func cmdForget(ctx context.Context, h *house, args []string, out io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("which function? make functions-forget NAME=weather")
	}
	u, err := newUp(h, functions)
	if err != nil {
		return err
	}
	parts := []part{u.storePart()} // make up may run beside it
	if err := startAll(ctx, parts); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(context.WithoutCancel(ctx), parts)) }()
	st, err := u.open(ctx)
	if err != nil {
		return err
	}
	known, err := st.ForgetFunction(ctx, args[0])
	if err != nil {
		return err
	}
	if known {
		fmt.Fprintf(out, "%s is forgotten; called again, it is back\n", args[0])
		return nil
	}
	fs, err := st.Functions(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range fs {
		names = append(names, f.Name)
	}
	return fmt.Errorf("no function %q was ever seen, or it is forgotten; there are: %s", args[0], strings.Join(names, ", "))
}
