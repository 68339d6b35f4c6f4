import assert from 'node:assert/strict'
import { test } from 'node:test'
import jsqr from 'jsqr'
import { qrCode } from '../../src/cli/qr-code.ts'

/** A picture of a terminal with light letters on dark ground, eight pixels for each module. */
function pictureOf(text: string): {
  readonly pixels: Uint8ClampedArray
  readonly width: number
  readonly height: number
} {
  const scale = 8
  const halves: Readonly<Record<string, readonly [boolean, boolean]>> = {
    '█': [true, true],
    '▀': [true, false],
    '▄': [false, true],
    ' ': [false, false],
  }
  const rows = text.split('\n').flatMap((line) => {
    const cells = [...line].map((sign) => halves[sign] ?? assert.fail(`an unknown sign ${sign}`))
    return [cells.map(([upper]) => upper), cells.map(([, lower]) => lower)]
  })
  const [width, height] = [(rows[0]?.length ?? 0) * scale, rows.length * scale]
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isWritten = rows[Math.floor(y / scale)]?.[Math.floor(x / scale)] ?? false
      pixels.fill(isWritten ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return { pixels, width, height }
}

test('another program reads a QR code as the text that it was made of, dark on light', () => {
  const read = jsqr as unknown as typeof jsqr.default
  for (const text of ['a', `hub.plant.example:8443/${'x'.repeat(250)}#${'0123456789abcdef'.repeat(4)}`]) {
    const { pixels, width, height } = pictureOf(qrCode(text, false))
    assert.equal(read(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data, text)
  }
})

test('in a terminal its colours are its own', () => {
  const [plain, coloured] = [false, true].map((isColoured) => qrCode('a', isColoured).split('\n')[0] ?? '')
  assert.equal(coloured, `\u001b[38;5;231;48;5;16m${plain}\u001b[0m`)
})
