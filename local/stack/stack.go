// Package stack reads stack.yml and stack.extra.yml as faas-cli does.
package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drone/envsubst"
	"github.com/openfaas/faas-provider/types"
	sdk "github.com/openfaas/go-sdk/stack"

	"github.com/hearth-home/hearth/shared/wire"
)

const scheduleVar = "SCHEDULE" // of serve.Config

// Files are the names of the stack files. Only the first must exist.
var Files = []string{"stack.yml", "stack.extra.yml"}

// Function is one block of a stack file, with ${VAR:-default} replaced.
type Function struct {
	Name, Image, Language string
	Folder                string            // relative to the stack file's folder: "functions/weather"
	Env                   map[string]string // the block's environment, overridden by vars
	Settings              []string          // the variables that change Env
	Secrets               []string
	Annotations, Labels   map[string]string
	Limits, Requests      *types.FunctionResources
	ReadOnly              bool
}

// Topic returns the annotation topic: CronTopic for a schedule, or an MQTT filter.
func (f Function) Topic() string { return f.Annotations[wire.AnnotationTopic] }

// Topics returns the MQTT filters that the function subscribes to.
func (f Function) Topics() []string {
	if f.Topic() == wire.CronTopic {
		return split(f.Annotations[wire.AnnotationTopics])
	}
	return split(f.Topic() + "," + f.Annotations[wire.AnnotationTopics])
}

func split(filters string) []string {
	var out []string
	for t := range strings.SplitSeq(filters, ",") {
		if t = strings.TrimSpace(t); t != "" && t[0] != '!' {
			out = append(out, t)
		}
	}
	return out
}

// Schedule returns the cron expression, or "" if the function is not called by the clock.
// Like the cron-connector, it requires the topic to be exactly CronTopic.
func (f Function) Schedule() string {
	if f.Topic() != wire.CronTopic {
		return ""
	}
	return f.Annotations[wire.AnnotationSchedule]
}

// Read returns the functions of the stack files in dir, sorted by name. Variables are
// looked up in vars, not in the process's environment.
func Read(dir string, vars map[string]string) ([]Function, error) {
	byName := map[string]Function{}
	for i, file := range Files {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if i > 0 && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		fs, err := parse(b, vars)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, f := range fs {
			if _, twice := byName[f.Name]; twice {
				return nil, fmt.Errorf("%s: the function %s is in %s too", file, f.Name, Files[0])
			}
			byName[f.Name] = f
		}
	}
	out := slices.Collect(maps.Values(byName))
	slices.SortFunc(out, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// parse replaces variables after the YAML is read, so that quotes and colons in a
// variable's value are not read as YAML.
func parse(b []byte, vars map[string]string) ([]Function, error) {
	services, err := sdk.ParseYAMLData(b, "", "", false)
	if err != nil {
		return nil, err
	}
	var out []Function
	for name, block := range services.Functions {
		f, err := fill(name, block, vars)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func fill(name string, b sdk.Function, vars map[string]string) (Function, error) {
	f := Function{Name: name, Language: b.Language, Folder: filepath.ToSlash(filepath.Clean(b.Handler)), Secrets: b.Secrets,
		Env: map[string]string{}, Annotations: map[string]string{}, Labels: map[string]string{},
		Limits: resources(b.Limits), Requests: resources(b.Requests), ReadOnly: b.ReadOnlyRootFilesystem}
	used := map[string]bool{}
	var errs []error
	text := func(s string, note map[string]bool) string {
		v, err := substitute(s, vars, note)
		errs = append(errs, err)
		return v
	}
	f.Image = text(b.Image, nil)
	for k, v := range b.Environment {
		if k == scheduleVar {
			continue
		}
		used[k] = true
		f.Env[k] = text(v, used)
		if own, ok := vars[k]; ok && own != "" {
			f.Env[k] = own
		}
	}
	if b.Annotations != nil {
		for k, v := range *b.Annotations {
			f.Annotations[k] = text(v, nil)
		}
	}
	if b.Labels != nil {
		for k, v := range *b.Labels {
			f.Labels[k] = text(v, nil)
		}
	}
	if s := f.Schedule(); s != "" {
		f.Env[scheduleVar] = s // the annotation's, not the block's environment or vars
	}
	f.Settings = slices.Sorted(maps.Keys(used))
	return f, errors.Join(errs...)
}

// substitute replaces ${VAR}, ${VAR:-default} and the other forms that faas-cli knows. It
// adds the names of the variables to note, if that is not nil.
func substitute(s string, vars map[string]string, note map[string]bool) (string, error) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	t, err := envsubst.Parse(s)
	if err != nil {
		return "", fmt.Errorf("%q: %w", s, err)
	}
	return t.Execute(func(name string) string {
		if note != nil {
			note[name] = true
		}
		return vars[name]
	})
}

func resources(r *sdk.FunctionResources) *types.FunctionResources {
	if r == nil {
		return nil
	}
	return &types.FunctionResources{Memory: r.Memory, CPU: r.CPU}
}
