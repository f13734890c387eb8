package glance

import "context"

func house(context.Context, *World) (*Tile, error) { return nil, nil }
