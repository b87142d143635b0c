const side = 320

/** Makes a square picture that the server takes: the middle of the file, 320 pixels a side. Rejects what is no picture. */
export async function squarePicture(file: Blob): Promise<string> {
  const image = await createImageBitmap(file)
  const cut = Math.min(image.width, image.height)
  const canvas = document.createElement('canvas')
  canvas.width = side
  canvas.height = side
  const pen = canvas.getContext('2d')!
  pen.fillStyle = '#fff' // JPEG has no transparency
  pen.fillRect(0, 0, side, side)
  pen.drawImage(image, (image.width - cut) / 2, (image.height - cut) / 2, cut, cut, 0, 0, side, side)
  image.close()
  for (const quality of [0.85, 0.6, 0.4]) {
    const url = canvas.toDataURL('image/jpeg', quality)
    if (url.length < 80_000) return url
  }
  return canvas.toDataURL('image/jpeg', 0.2)
}
