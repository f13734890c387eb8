package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/source"
)

const (
	perPage  = 100 // Asana's maximum
	maxPages = 50
)

// fields is the parameter opt_fields. Without it, Asana answers with gid and name only.
const fields = "name,completed,created_at,modified_at,due_on,due_at,assignee.name," +
	"memberships.project.name,memberships.section.name,permalink_url,custom_fields.name,custom_fields.display_value"

// page is an answer, as far as we use it.
type page struct {
	Data   *[]task `json:"data"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
	Next json.RawMessage `json:"next_page"` // null on the last page
}

// task is https://developers.asana.com/reference/tasks.
type task struct {
	GID         string  `json:"gid"`
	Name        *string `json:"name"` // may be empty
	Completed   bool    `json:"completed"`
	Created     string  `json:"created_at"`
	Modified    string  `json:"modified_at"`
	DueOn       string  `json:"due_on"` // a day; with due_at, the day of that time
	DueAt       string  `json:"due_at"` // a time
	Permalink   string  `json:"permalink_url"`
	Assignee    named   `json:"assignee"`
	Memberships []struct {
		Project named `json:"project"`
		Section named `json:"section"`
	} `json:"memberships"` // one for each project of the task
	CustomFields []struct {
		Name  string `json:"name"`
		Value string `json:"display_value"`
	} `json:"custom_fields"`
}

// named is a reference to another object.
type named struct {
	GID  string `json:"gid"`
	Name string `json:"name"`
}

// asana fetches the tasks of projects.
type asana struct {
	Config
	gids map[string]string // by the project's name
}

// fetch returns all open tasks of a project. The offset of a page expires after some
// minutes. If Asana refuses one, fetch reads the list once more from its start.
func (x *asana) fetch(ctx context.Context, client *fetch.Client, project string, _ source.Window) (source.Batch, error) {
	b, err := x.pages(ctx, client, project)
	if errors.Is(err, errOffset) {
		b, err = x.pages(ctx, client.Memo(), project) // a new memo, so that the first page is requested again
	}
	return b, err
}

var errOffset = errors.New("the offset of the next page was refused")

// pages reads a project's tasks page by page. If Asana refuses an offset, the error is
// errOffset.
func (x *asana) pages(ctx context.Context, client *fetch.Client, project string) (source.Batch, error) {
	b := source.Batch{Complete: true}
	var left []string
	offset := ""
	for range maxPages {
		a, err := client.Get(ctx, x.query(project, offset), http.Header{"Authorization": {"Bearer " + x.Token.Reveal()}, "Accept": {"application/json"}})
		if e, ok := errors.AsType[*fetch.StatusError](err); ok && e.Code == http.StatusBadRequest && offset != "" {
			return b, fmt.Errorf("%w: %w", errOffset, err)
		}
		if err != nil {
			return b, fetch.Explain(err, hints)
		}
		items, odd, next, err := decode(a.Body, x.gids[project], x.PriorityField)
		if e, ok := errors.AsType[*fetch.UpstreamError](err); ok {
			e.Host = x.URL.Host
			return b, err
		}
		if err != nil {
			return b, fmt.Errorf("decode the tasks: %w", err)
		}
		b.Items = append(b.Items, items...)
		b.Complete = b.Complete && !odd.task // a task that is left out is not closed
		if left = append(left, odd.texts...); next == "" {
			b.Warnings = source.LeftOut(left)
			return b, nil
		}
		offset = next
	}
	return b, fmt.Errorf("there are more than %d open tasks", maxPages*perPage)
}

func (x *asana) query(project, offset string) *url.URL {
	u := x.URL.JoinPath("projects", x.gids[project], "tasks")
	q := url.Values{"completed_since": {"now"}, "limit": {strconv.Itoa(perPage)}, "opt_fields": {fields}}
	if offset != "" {
		q.Set("offset", offset)
	}
	u.RawQuery = q.Encode()
	return u
}

// hints explain a status code.
var hints = map[int]string{
	http.StatusUnauthorized:    "the token is not valid or has expired",
	http.StatusPaymentRequired: "the Asana plan does not include this",
	http.StatusForbidden:       "the token's owner may not read the project",
	http.StatusNotFound:        "there is no such project",
}

// oddities are what could not be read of a page.
type oddities struct {
	texts []string
	task  bool // a whole task is among it
}

// decode returns the open tasks of a page and the offset of the next page, "" for the last
// one. project is the project's gid, priority the custom field with a task's priority. A
// value that cannot be read costs itself, a task without gid or name itself; if no task has
// them, the format has changed. Asana may report an error with status 200: it is a
// *fetch.UpstreamError.
func decode(body []byte, project, priority string) (items []item.Item, odd oddities, next string, err error) {
	var p page
	value, err := fetch.Decode(body, &p)
	if err != nil {
		return nil, odd, "", err
	}
	if value != "" {
		odd.texts = append(odd.texts, value)
	}
	if len(p.Errors) > 0 {
		return nil, odd, "", &fetch.UpstreamError{Message: p.Errors[0].Message}
	}
	if p.Data == nil || *p.Data == nil { // absent, or no list
		return nil, odd, "", errors.New("no data in the answer")
	}
	for n, t := range *p.Data {
		if t.Completed { // after the first page was requested
			continue
		}
		if t.GID == "" || t.Name == nil {
			odd.task, odd.texts = true, append(odd.texts, fmt.Sprintf("task %d of a page has no gid or no name", n+1))
			continue
		}
		i, texts := t.item(project, priority)
		items, odd.texts = append(items, i), append(odd.texts, texts...)
	}
	if odd.task && len(items) == 0 {
		return nil, odd, "", errors.New(odd.texts[0])
	}
	if len(p.Next) == 0 || string(p.Next) == "null" {
		return items, odd, "", nil
	}
	var link struct {
		Offset string `json:"offset"`
	}
	if err := json.Unmarshal(p.Next, &link); err != nil || link.Offset == "" {
		return nil, odd, "", errors.New("next_page has no offset")
	}
	return items, odd, link.Offset, nil
}

// item returns the task as an item, and what could not be read of its dates. A task
// without a readable created_at is as old as its last change.
func (t task) item(project, priority string) (item.Item, []string) {
	i := item.Item{ID: t.GID, Title: *t.Name, URL: t.Permalink, Attributes: map[string]string{}}
	if strings.TrimSpace(i.Title) == "" {
		i.Title = "(no name)"
	}
	var odd []string
	read := func(key, value, layout string) time.Time {
		at, err := parse(layout, value)
		if err != nil {
			odd = append(odd, fmt.Sprintf("%s of task %q: %v", key, t.GID, err))
		} else if key != "created_at" {
			i.Attributes[key] = at.Format(layout)
		}
		return at
	}
	i.At = read("created_at", t.Created, time.RFC3339)
	if modified := read("modified_at", t.Modified, time.RFC3339); i.At.IsZero() {
		i.At = modified
	}
	switch { // with due_at, due_on is only the day of that time
	case t.DueAt != "" && !read("due_at", t.DueAt, time.RFC3339).IsZero():
	case t.DueOn != "":
		read("due_on", t.DueOn, time.DateOnly)
	}
	t.describe(i.Attributes, project, priority)
	return i, odd
}

// parse parses a time. Years before 2000 and after 9999 are an error. With an error the time
// is zero.
func parse(layout, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, errors.New("it is absent")
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("the time %.40q is not written as %s", s, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Format(layout))
	}
	if t = t.UTC(); t.Year() < 2000 || t.Year() > 9999 { // a task may be due in any year from now on
		return time.Time{}, fmt.Errorf("the time %s is outside 2000-01-01 to 9999-12-31", s)
	}
	return t, nil
}

// describe adds the optional attributes: assignee, section and priority.
func (t task) describe(attributes map[string]string, project, priority string) {
	if t.Assignee.Name != "" {
		attributes["assignee"] = t.Assignee.Name
	}
	for _, m := range t.Memberships {
		if m.Project.GID == project && m.Section.Name != "" {
			attributes["section"] = m.Section.Name
		}
	}
	for _, f := range t.CustomFields {
		if strings.EqualFold(f.Name, priority) && f.Value != "" {
			attributes["priority"] = f.Value
		}
	}
}
