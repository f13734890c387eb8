package glance

import "context"

func air(context.Context, *world) (*Tile, error) { return nil, nil }
