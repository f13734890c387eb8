package local

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/live"
	"github.com/hearth-home/hearth/shared/page/steps"
)

// firstDay is how long after the start the first steps come first on a page without live
// data.
const firstDay = 24 * time.Hour

// firstSteps returns the first steps of the page, which make sources live.
func (p *platform) firstSteps() *steps.Steps {
	began := p.now()
	return live.New(live.Options{
		Root: p.root, File: filepath.Join(p.root, dotenvName), Host: p.host, Secrets: p.secrets, Blocks: p.blocks, Started: p.becameLive,
		OwnBroker: p.ownBroker, Command: "hearth up",
		InEnvironment: func(name string) bool { return p.environ[name] },
		First: func() bool {
			return p.now().Sub(began) < firstDay && !slices.ContainsFunc(p.host.Functions(), func(f host.Function) bool {
				return f.Schedule() != "" && f.State == host.Live && !slices.Contains(watchers, f.Name)
			})
		},
	})
}

// ownBroker returns the address of the embedded broker, "" before it listens.
func (p *platform) ownBroker() string {
	if p.bridge.Load() == nil {
		return ""
	}
	return p.mqttURL
}

// becameLive runs a source that has become live at once. Its samples stay on the page until
// its upstream has answered.
func (p *platform) becameLive(function string) {
	p.seeded.Store(function, true)
	p.log.Info("live, by the page", "function", function)
	if s := p.scheduler.Load(); s != nil && p.runs(function) {
		s.Run(function)
	}
}
