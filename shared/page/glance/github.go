package glance

import "context"

func github(context.Context, *world) (*Tile, error) { return nil, nil }
