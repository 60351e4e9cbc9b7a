// Signs one PDF again and again: `node sign.mjs PDF P12 PASSPHRASE_FILE`. Each line of input names a way; each line of
// output is the CPU time of one signature in seconds, and where the file lies if the line was "WAY > FILE".
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [pdfPath, p12Path, passphrasePath] = process.argv.slice(2);
const pdf = readFileSync(pdfPath);
const p12 = readFileSync(p12Path);
const passphrase = readFileSync(passphrasePath, "utf8").trim();
const reason = "Penerbitan izin";
const location = "Bangko";
const box = [300, 90, 540, 170];

async function libpdf() {
  const { PDF, P12Signer } = await import("@libpdf/core");
  const signer = await P12Signer.create(new Uint8Array(p12), passphrase);
  return async () => {
    const document = await PDF.load(new Uint8Array(pdf));
    return (await document.sign({ signer, reason, location, level: "B-B" })).bytes;
  };
}

async function signpdf(widgetRect) {
  const { SignPdf } = await import("@signpdf/signpdf");
  const { P12Signer } = await import("@signpdf/signer-p12");
  const { pdflibAddPlaceholder } = await import("@signpdf/placeholder-pdf-lib");
  const { SUBFILTER_ETSI_CADES_DETACHED } = await import("@signpdf/utils");
  const { PDFDocument } = await import("pdf-lib");
  return async () => {
    const pdfDoc = await PDFDocument.load(pdf);
    pdflibAddPlaceholder({
      pdfDoc, reason, contactInfo: "", name: "Kepala Dinas", location, widgetRect,
      subFilter: SUBFILTER_ETSI_CADES_DETACHED, signatureLength: 8192,
    });
    const prepared = Buffer.from(await pdfDoc.save({ useObjectStreams: false }));
    return await new SignPdf().sign(prepared, new P12Signer(p12, { passphrase }));
  };
}

const ways = {
  "libpdf": await libpdf(),
  "signpdf": await signpdf([0, 0, 0, 0]),
  "signpdf visible": await signpdf(box),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [way, file] = line.split(" > ");
  const before = process.cpuUsage();
  const signed = await ways[way]();
  const { user, system } = process.cpuUsage(before);
  if (file) writeFileSync(file, signed);
  process.stdout.write(`${(user + system) / 1e6}\n`);
}
