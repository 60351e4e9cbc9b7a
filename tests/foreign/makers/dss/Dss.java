// Signs small documents with EU DSS: `java -cp 'lib/*' Dss.java PDF P12 PASSPHRASE FOLDER`.
import eu.europa.esig.dss.enumerations.*;
import eu.europa.esig.dss.model.*;
import eu.europa.esig.dss.pades.*;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.token.*;
import java.io.File;
import java.nio.file.*;
import java.security.KeyStore.PasswordProtection;

class Dss {
    static Pkcs12SignatureToken token;

    public static void main(String[] args) throws Exception {
        token = new Pkcs12SignatureToken(args[1], new PasswordProtection(args[2].toCharArray()));
        DSSDocument plain = new FileDocument(args[0]);
        Path out = Path.of(args[3]);
        DSSDocument once = sign(plain, null, false);
        once.save(out.resolve("dss.pdf").toString());
        sign(once, null, true).save(out.resolve("dss-twice.pdf").toString());
        sign(plain, CertificationPermission.MINIMAL_CHANGES_PERMITTED, false).save(out.resolve("dss-p2.pdf").toString());
    }

    static DSSDocument sign(DSSDocument pdf, CertificationPermission permission, boolean visible) throws Exception {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA384);
        parameters.setSigningCertificate(token.getKeys().get(0).getCertificate());
        parameters.setPermission(permission);
        parameters.setReason("Setuju");
        if (visible) {
            SignatureImageParameters image = new SignatureImageParameters();
            SignatureFieldParameters field = new SignatureFieldParameters();
            field.setOriginX(200);
            field.setOriginY(450);
            field.setWidth(120);
            field.setHeight(40);
            image.setFieldParameters(field);
            SignatureImageTextParameters text = new SignatureImageTextParameters();
            text.setText("Budi Contoh");
            image.setTextParameters(text);
            parameters.setImageParameters(image);
        }
        PAdESService service = new PAdESService(new CommonCertificateVerifier());
        ToBeSigned data = service.getDataToSign(pdf, parameters);
        return service.signDocument(pdf, parameters, token.sign(data, parameters.getDigestAlgorithm(), token.getKeys().get(0)));
    }
}
