//go:build browser

package main

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"configservice/observability/internal/dashboard"

	"github.com/chromedp/chromedp"
)

// takePictures writes a picture of every dashboard, and of the pages around them.
func (p *page) takePictures(boards []dashboard.Dashboard, dir string) {
	p.t.Helper()
	paths := map[string]string{"home": "/?theme=dark", "alerts": "/alerts?theme=dark"}
	for _, board := range boards {
		paths[board.UID] = "/d/" + board.UID + "?theme=dark&refresh=&from=now-5m&to=now"
	}
	for name, path := range paths {
		p.open(path)
		if strings.HasPrefix(path, "/d/") {
			p.showAll(1440)
			p.awaitDrawn()
		} else {
			p.do(chromedp.EmulateViewport(1440, 600))
			p.await("the page is there", `document.querySelector('main li') && !document.body.innerText.includes('Loading')`)
		}
		// What is fetched last, such as icons, has no sign of its own.
		evaluate[chromedp.Void](p, `new Promise((done) => setTimeout(done, 2000))`)
		p.picture(filepath.Join(dir, name+".png"))
	}
}

func (p *page) picture(file string) {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		text, err = smaller(text)
	}
	if err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// smaller returns the picture with the 256 colours that it has most of, a third of its size.
func smaller(text []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	picture := image.NewRGBA(full.Bounds())
	draw.Draw(picture, picture.Rect, full, full.Bounds().Min, draw.Src)
	palette := commonColours(picture)
	small := image.NewPaletted(picture.Rect, palette)
	nearest := map[color.RGBA]uint8{}
	for y := range picture.Rect.Dy() {
		for x := range picture.Rect.Dx() {
			colour := picture.RGBAAt(x, y)
			index, known := nearest[colour]
			if !known {
				index = uint8(palette.Index(colour))
				nearest[colour] = index
			}
			small.SetColorIndex(x, y, index)
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small)
	return out.Bytes(), err
}

// commonColours are the most frequent ones; of those that differ hardly, the most frequent alone.
func commonColours(picture *image.RGBA) color.Palette {
	counts := map[color.RGBA]int{}
	for y := range picture.Rect.Dy() {
		for x := range picture.Rect.Dx() {
			counts[picture.RGBAAt(x, y)]++
		}
	}
	best := map[color.RGBA]color.RGBA{}
	total := map[color.RGBA]int{}
	for colour, count := range counts {
		alike := color.RGBA{colour.R &^ 7, colour.G &^ 7, colour.B &^ 7, 255}
		total[alike] += count
		if count > counts[best[alike]] {
			best[alike] = colour
		}
	}
	groups := make([]color.RGBA, 0, len(total))
	for alike := range total {
		groups = append(groups, alike)
	}
	slices.SortFunc(groups, func(a, b color.RGBA) int { return total[b] - total[a] })
	palette := color.Palette{}
	for _, alike := range groups[:min(256, len(groups))] {
		palette = append(palette, best[alike])
	}
	return palette
}
