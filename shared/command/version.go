package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/shared/printable"
)

// version is what a program was built from.
type version struct {
	Program  string `json:"program"`
	Version  string `json:"version"`  // of the module: "(devel)" where it is not known
	Revision string `json:"revision"` // of the repository; "" where it was built outside of one
	Time     string `json:"time"`     // of the revision
	Modified bool   `json:"modified"` // files differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"` // linux/arm64
}

// built reads what the Go linker noted.
func built(program string, info *debug.BuildInfo) version {
	v := version{Program: program, Version: info.Main.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v version) write(w io.Writer) error {
	revision := v.Revision
	switch {
	case revision == "":
		revision = "unknown: built without version control data"
	case v.Modified:
		revision += " of " + v.Time + ", modified"
	default:
		revision += " of " + v.Time
	}
	_, err := fmt.Fprintf(w, "%s %s\nrevision  %s\nbuilt by  %s for %s\n", v.Program, v.Version, revision, v.Go, v.Platform)
	return err
}

func versionCommand(root *cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "what this program was built from",
		Long:    "The revision that this program was built from, whether files were modified, and the Go version.",
		Example: root.Name() + " version",
	}
	asJSON := JSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		info, ok := debug.ReadBuildInfo()
		if !ok {
			return errors.New("it was built without Go modules: nothing is known of it")
		}
		v := built(root.Name(), info)
		if *asJSON {
			return WriteJSON(c.OutOrStdout(), v)
		}
		return v.write(c.OutOrStdout())
	}
	if len(root.Groups()) > 0 {
		c.GroupID = about
	}
	return c
}

// JSON gives a command the flag --json.
func JSON(c *cobra.Command) *bool { return c.Flags().Bool("json", false, "write JSON, for scripts") }

// WriteJSON writes a value as the flag --json asks for it: indented, with a new line. Texts
// in it cannot control a terminal.
func WriteJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(printable.JSON(b.Bytes()))
	return err
}
