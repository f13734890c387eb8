package status

import "context"

// Brief returns the alerts, devices, dead letters and functions: Data without graphs,
// readings of sources and items, which take longer to read.
func (p *Page) Brief(ctx context.Context) Data {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.collector == nil {
		p.collector = newCollector(p.Inputs)
	}
	return p.collector.collectBrief(ctx, p.Now())
}
