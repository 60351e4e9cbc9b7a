// Signs small documents with PDFBox, OpenPDF and iText: `java -cp 'lib/*' Make.java P12 PASSPHRASE FOLDER`.
import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.util.*;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.cos.*;
import org.apache.pdfbox.pdmodel.*;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.font.*;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.*;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.visible.*;
import org.apache.pdfbox.pdmodel.interactive.form.*;
import org.bouncycastle.cert.jcajce.*;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.operator.jcajce.*;

class Make {
    static PrivateKey key;
    static java.security.cert.Certificate[] chain;
    static Path out;

    interface Maker { byte[] make() throws Exception; }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider());
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(args[0]), args[1].toCharArray());
        String alias = store.aliases().nextElement();
        key = (PrivateKey) store.getKey(alias, args[1].toCharArray());
        chain = store.getCertificateChain(alias);
        out = Path.of(args[2]);
        byte[] plain = base(false), form = base(true);
        make("pdfbox", () -> box(plain, 0, null));
        make("pdfbox-visible", () -> box(plain, 0, picture(plain)));
        make("pdfbox-p1", () -> box(plain, 1, null));
        make("pdfbox-p2-filled", () -> filled(box(form, 2, null)));
        make("pdfbox-p3", () -> box(plain, 3, null));
        make("pdfbox-twice", () -> box(box(plain, 0, null), 0, null));
        make("pdfbox-twice-visible", () -> box(box(plain, 0, null), 0, picture(plain)));
        make("pdfbox-signed-filled-signed", () -> box(filled(box(form, 0, null)), 0, null));
        make("openpdf", () -> open(plain, false, false, 0));
        make("openpdf-append", () -> open(plain, true, false, 0));
        make("openpdf-visible", () -> open(plain, true, true, 0));
        make("openpdf-certified", () -> open(plain, true, true, 2));
        make("openpdf-after-pdfbox", () -> open(box(plain, 0, null), true, true, 0));
        make("itext", () -> text(plain, "Signature1", false, 0, false));
        make("itext-append", () -> text(plain, "Signature1", true, 0, false));
        make("itext-visible", () -> text(plain, "Signature1", true, 0, true));
        make("itext-p1", () -> text(plain, "Signature1", true, 1, true));
        make("itext-p2-twice", () -> text(text(plain, "Signature1", true, 2, false), "Signature2", true, 0, true));
        make("itext-after-pdfbox", () -> text(box(plain, 0, null), "Signature2", true, 0, true));
        make("pdfbox-after-itext", () -> box(text(plain, "Signature1", true, 0, true), 0, picture(plain)));
    }

    static void make(String name, Maker maker) throws Exception {
        try {
            Files.write(out.resolve(name + ".pdf"), maker.make());
        } catch (Exception failed) {
            System.err.println(name + ": " + failed);
        }
    }

    static byte[] base(boolean form) throws Exception {
        try (PDDocument document = new PDDocument()) {
            PDPage page = new PDPage(PDRectangle.A5);
            document.addPage(page);
            PDType1Font font = new PDType1Font(Standard14Fonts.FontName.HELVETICA);
            try (PDPageContentStream stream = new PDPageContentStream(document, page)) {
                stream.beginText();
                stream.setFont(font, 14);
                stream.newLineAtOffset(50, 500);
                stream.showText("Perjanjian contoh: Rp 100.000");
                stream.endText();
            }
            if (form) {
                PDAcroForm acroForm = new PDAcroForm(document);
                document.getDocumentCatalog().setAcroForm(acroForm);
                PDResources resources = new PDResources();
                resources.put(COSName.getPDFName("Helv"), font);
                acroForm.setDefaultResources(resources);
                acroForm.setDefaultAppearance("/Helv 12 Tf 0 g");
                PDTextField field = new PDTextField(acroForm);
                field.setPartialName("nama");
                field.setDefaultAppearance("/Helv 12 Tf 0 g");
                acroForm.getFields().add(field);
                var widget = field.getWidgets().get(0);
                widget.setRectangle(new PDRectangle(50, 400, 200, 20));
                widget.setPage(page);
                widget.setPrinted(true);
                page.getAnnotations().add(widget);
            }
            ByteArrayOutputStream made = new ByteArrayOutputStream();
            document.save(made);
            return made.toByteArray();
        }
    }

    static byte[] filled(byte[] pdf) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf)) {
            PDField field = document.getDocumentCatalog().getAcroForm().getField("nama");
            field.setValue("Sari");
            field.getCOSObject().setNeedToBeUpdated(true);
            COSDictionary look = (COSDictionary) field.getCOSObject().getDictionaryObject(COSName.AP);
            look.setNeedToBeUpdated(true);
            look.getDictionaryObject(COSName.N).setDirect(false);
            ((COSStream) look.getDictionaryObject(COSName.N)).setNeedToBeUpdated(true);
            ByteArrayOutputStream made = new ByteArrayOutputStream();
            document.saveIncremental(made);
            return made.toByteArray();
        }
    }

    static InputStream picture(byte[] pdf) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf)) {
            var image = new java.awt.image.BufferedImage(60, 20, java.awt.image.BufferedImage.TYPE_INT_RGB);
            image.getGraphics().fillRect(5, 5, 20, 10);
            PDVisibleSignDesigner design = new PDVisibleSignDesigner(document, image, 1);
            design.xAxis(200).yAxis(500).signatureFieldName("Tanda");
            PDVisibleSigProperties properties = new PDVisibleSigProperties();
            properties.signerName("Budi").signatureReason("Setuju").page(1).visualSignEnabled(true).setPdVisibleSignature(design);
            properties.buildSignature();
            return properties.getVisibleSignature();
        }
    }

    static byte[] box(byte[] pdf, int permission, InputStream picture) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf)) {
            PDSignature signature = new PDSignature();
            signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
            signature.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
            signature.setName("Budi");
            signature.setSignDate(Calendar.getInstance());
            if (permission > 0) certify(document, signature, permission);
            SignatureOptions options = new SignatureOptions();
            if (picture != null) {
                options.setVisualSignature(picture);
                options.setPage(0);
            }
            document.addSignature(signature, Make::cms, options);
            ByteArrayOutputStream made = new ByteArrayOutputStream();
            document.saveIncremental(made);
            return made.toByteArray();
        }
    }

    static void certify(PDDocument document, PDSignature signature, int permission) {
        COSDictionary parameters = new COSDictionary(), reference = new COSDictionary(), perms = new COSDictionary();
        parameters.setItem(COSName.TYPE, COSName.getPDFName("TransformParams"));
        parameters.setInt(COSName.P, permission);
        parameters.setName(COSName.V, "1.2");
        reference.setItem(COSName.TYPE, COSName.getPDFName("SigRef"));
        reference.setItem(COSName.getPDFName("TransformMethod"), COSName.DOCMDP);
        reference.setItem(COSName.getPDFName("TransformParams"), parameters);
        COSArray references = new COSArray();
        references.add(reference);
        signature.getCOSObject().setItem(COSName.getPDFName("Reference"), references);
        COSDictionary catalog = document.getDocumentCatalog().getCOSObject();
        perms.setItem(COSName.DOCMDP, signature);
        catalog.setItem(COSName.PERMS, perms);
        catalog.setNeedToBeUpdated(true);
    }

    static byte[] cms(InputStream content) throws IOException {
        try {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(key);
            var digests = new JcaDigestCalculatorProviderBuilder().build();
            generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(digests).build(signer, (X509Certificate) chain[0]));
            generator.addCertificates(new org.bouncycastle.cert.jcajce.JcaCertStore(Arrays.asList(chain)));
            return generator.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
        } catch (Exception failed) {
            throw new IOException(failed);
        }
    }

    static byte[] open(byte[] pdf, boolean append, boolean visible, int permission) throws Exception {
        ByteArrayOutputStream made = new ByteArrayOutputStream();
        var reader = new com.lowagie.text.pdf.PdfReader(pdf);
        var stamper = com.lowagie.text.pdf.PdfStamper.createSignature(reader, made, '\0', null, append);
        var look = stamper.getSignatureAppearance();
        look.setReason("Setuju");
        look.setCertificationLevel(permission);
        look.setCrypto(null, chain, null, null);
        if (visible) look.setVisibleSignature(new com.lowagie.text.Rectangle(60, 60, 200, 120), 1, null);
        var dictionary = new com.lowagie.text.pdf.PdfSignature(
            com.lowagie.text.pdf.PdfName.ADOBE_PPKLITE, new com.lowagie.text.pdf.PdfName("adbe.pkcs7.detached"));
        dictionary.setReason("Setuju");
        dictionary.setDate(new com.lowagie.text.pdf.PdfDate(Calendar.getInstance()));
        look.setCryptoDictionary(dictionary);
        HashMap<com.lowagie.text.pdf.PdfName, Integer> room = new HashMap<>();
        room.put(com.lowagie.text.pdf.PdfName.CONTENTS, 8192 * 2 + 2);
        look.preClose(room);
        byte[] padded = Arrays.copyOf(cms(look.getRangeStream()), 8192);
        var update = new com.lowagie.text.pdf.PdfDictionary();
        update.put(com.lowagie.text.pdf.PdfName.CONTENTS, new com.lowagie.text.pdf.PdfString(padded).setHexWriting(true));
        look.close(update);
        return made.toByteArray();
    }

    static byte[] text(byte[] pdf, String field, boolean append, int permission, boolean visible) throws Exception {
        ByteArrayOutputStream made = new ByteArrayOutputStream();
        var reader = new com.itextpdf.kernel.pdf.PdfReader(new ByteArrayInputStream(pdf));
        var how = new com.itextpdf.kernel.pdf.StampingProperties();
        if (append) how.useAppendMode();
        var signer = new com.itextpdf.signatures.PdfSigner(reader, made, how);
        var properties = new com.itextpdf.signatures.SignerProperties().setFieldName(field).setReason("Setuju");
        properties.setCertificationLevel(com.itextpdf.signatures.AccessPermissions.values()[permission]);
        if (visible) properties.setPageRect(new com.itextpdf.kernel.geom.Rectangle(60, 60, 140, 60)).setPageNumber(1);
        signer.setSignerProperties(properties);
        var mine = new com.itextpdf.signatures.PrivateKeySignature(key, "SHA256", "BC");
        signer.signDetached(new com.itextpdf.signatures.BouncyCastleDigest(), mine, chain, null, null, null, 0,
            com.itextpdf.signatures.PdfSigner.CryptoStandard.CADES);
        return made.toByteArray();
    }
}
