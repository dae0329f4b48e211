// Reads Dockerfiles with BuildKit's own frontend: one request as JSON on each line of standard input, and for each a
// line with the image's config and the operations, or the error. record.ts runs it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

type request struct {
	Text     []byte                     `json:"text"`
	Args     map[string]string          `json:"args"`
	Labels   map[string]string          `json:"labels"`
	Target   string                     `json:"target"`
	Platform string                     `json:"platform"`
	Images   map[string]json.RawMessage `json:"images"`
}

type answer struct {
	Error string           `json:"error,omitempty"`
	Line  int              `json:"line,omitempty"`
	End   int              `json:"end,omitempty"`
	Image json.RawMessage  `json:"image,omitempty"`
	Ops   []map[string]any `json:"ops,omitempty"`
	Names []string         `json:"names,omitempty"`
}

type images map[string]json.RawMessage

func (i images) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, ok := i[ref]
	if !ok {
		return "", "", nil, errors.Errorf("no image %s", ref)
	}
	return ref, digest.FromBytes(config), config, nil
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<28)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var req request
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			panic(err)
		}
		if err := out.Encode(convert(req)); err != nil {
			panic(err)
		}
	}
}

func convert(req request) (ans answer) {
	defer func() {
		if cause := recover(); cause != nil {
			ans = answer{Error: fmt.Sprint("panic: ", cause)}
		}
	}()
	caps := pb.Caps.CapSet(pb.Caps.All())
	opt := dockerfile2llb.ConvertOpt{
		MetaResolver: images(req.Images),
		LLBCaps:      &caps,
		Config: dockerui.Config{
			BuildArgs:        req.Args,
			CacheIDNamespace: req.Args["BUILDKIT_CACHE_MOUNT_NS"],
			Labels:           req.Labels,
			Target:           req.Target,
			BuildPlatforms:   []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}},
		},
	}
	if req.Platform != "" {
		parts := append(strings.Split(req.Platform, "/"), "")
		opt.TargetPlatform = &ocispecs.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
	}
	res, err := dockerfile2llb.Dockerfile2LLB(context.Background(), req.Text, opt)
	if err != nil {
		return failed(err)
	}
	def, err := res.State.Marshal(context.Background())
	if err != nil {
		return failed(err)
	}
	if ans.Image, err = json.Marshal(res.Image); err != nil {
		panic(err)
	}
	for _, data := range def.Def {
		ans.Ops = append(ans.Ops, ops(data)...)
		if name := def.Metadata[digest.FromBytes(data)].Description["llb.customname"]; name != "" {
			ans.Names = append(ans.Names, name)
		}
	}
	return ans
}

func failed(err error) answer {
	ans := answer{Error: err.Error()}
	var at *parser.LocationError
	if errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		ans.Line = at.Locations[0][0].Start.Line
		ans.End = at.Locations[0][0].End.Line
	}
	return ans
}

func ops(data []byte) (all []map[string]any) {
	var op pb.Op
	if err := op.UnmarshalVT(data); err != nil {
		panic(err)
	}
	switch op := op.Op.(type) {
	case *pb.Op_Exec:
		exec := op.Exec
		all = append(all, map[string]any{"exec": exec.Meta, "network": exec.Network.String(),
			"security": exec.Security.String(), "mounts": exec.Mounts, "secretenv": exec.Secretenv})
	case *pb.Op_File:
		for _, action := range op.File.Actions {
			switch action := action.Action.(type) {
			case *pb.FileAction_Copy:
				all = append(all, map[string]any{"copy": action.Copy})
			case *pb.FileAction_Mkdir:
				all = append(all, map[string]any{"mkdir": action.Mkdir})
			case *pb.FileAction_Mkfile:
				file := action.Mkfile
				all = append(all, map[string]any{"mkfile": file.Path, "mode": file.Mode, "content": string(file.Data)})
			}
		}
	}
	return all
}
