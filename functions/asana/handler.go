// Package function fetches the open tasks of Asana projects
// (https://developers.asana.com/reference/gettasksforproject).
//
// A task's age and idle time are not stored, so a rerun changes nothing. The view tasks
// computes them from the time of creation and modified_at.
package function

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
)

// Config has the settings of asana.
type Config struct {
	Token         secret.String  `env:"ASANA_TOKEN_SECRET" envDefault:"asana-token"`          // secret with a personal access token
	Projects      config.Entries `env:"ASANA_PROJECTS"`                                       // projects as name:gid;name:gid; the gid is the number in a project's URL
	PriorityField string         `env:"ASANA_PRIORITY_FIELD" envDefault:"Priority"`           // custom field that holds a task's priority
	URL           url.URL        `env:"ASANA_URL" envDefault:"https://app.asana.com/api/1.0"` // Asana's API
}

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// New returns the function.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	names, gids, err := parseProjects(c.Projects)
	if err != nil {
		return nil, fmt.Errorf("configuration: ASANA_PROJECTS: %w", err)
	}
	return source.Handler(env, source.Source{
		Name:    "asana",
		Needs:   []secret.String{c.Token},
		Setting: "ASANA_PROJECTS",
		Targets: names,
		Fetch:   (&asana{c, gids}).fetch,
	})
}

var (
	bare     = regexp.MustCompile(`^\s*[0-9]+\s*$`)
	withName = regexp.MustCompile(`:\s*[0-9]+\s*$`)
)

// several reports whether an element is projects with commas between them: home:1,cabin:2
// or 1,2. A name may hold a comma: "12, Oak Street:1" is one project.
func several(element string) bool {
	parts := strings.Split(element, ",")
	lacks := func(form *regexp.Regexp) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return !form.MatchString(p) })
	}
	return len(parts) > 1 && (!lacks(bare) || !lacks(withName))
}

// parseProjects parses elements of the form name:gid. A gid without a name is its own name. It
// returns the names in order, and the gid of each.
func parseProjects(projects []string) (names []string, gids map[string]string, err error) {
	gids = map[string]string{}
	for _, part := range projects {
		if several(part) {
			return nil, nil, fmt.Errorf("%q holds several projects: separate them by semicolons", part)
		}
		name, gid := part, part
		if i := strings.LastIndexByte(part, ':'); i >= 0 {
			name, gid = strings.TrimSpace(part[:i]), strings.TrimSpace(part[i+1:])
		}
		if name == "" || gid == "" || strings.Trim(gid, "0123456789") != "" {
			return nil, nil, fmt.Errorf("%q is not name:gid, or its gid is not a number", part)
		}
		// Each of two lists with the same name would close the other's tasks.
		if gids[name] != "" {
			return nil, nil, fmt.Errorf("two projects have the name %q", name)
		}
		names, gids[name] = append(names, name), gid
	}
	return names, gids, nil
}
