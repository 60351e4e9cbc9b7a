package teken.judges;

import eu.europa.esig.dss.diagnostic.AbstractSignatureWrapper;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.PDFRevisionWrapper;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlObjectModification;
import eu.europa.esig.dss.diagnostic.jaxb.XmlPDFLockDictionary;
import eu.europa.esig.dss.diagnostic.jaxb.XmlSignatureScope;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSException;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** EU DSS under its own default policy: what it says of every signature and time-stamp of a file. */
final class Signatures {
    private final CommonCertificateVerifier verifier = new CommonCertificateVerifier();

    Signatures(List<String> anchors, List<String> crls) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        anchors.forEach(anchor -> trusted.addCertificate(DSSUtils.loadCertificate(new File(anchor))));
        verifier.setTrustedCertSources(trusted);
        verifier.setAIASource(null);
        verifier.setOcspSource(null);
        if (!crls.isEmpty()) {
            FileDocument[] lists = crls.stream().map(FileDocument::new).toArray(FileDocument[]::new);
            verifier.setCrlSource(new ExternalResourcesCRLSource(lists));
        }
    }

    /** Signatures, then document time-stamps; or the fault that kept DSS from reading the file. */
    Map<String, Object> facts(Path file) {
        try {
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file.toFile()));
            validator.setCertificateVerifier(verifier);
            return facts(validator.validateDocument());
        } catch (DSSException | IllegalArgumentException | IllegalStateException unreadable) {
            return Map.of("fault", unreadable.toString(), "signatures", List.of(), "timestamps", List.of());
        }
    }

    private static Map<String, Object> facts(Reports reports) {
        DiagnosticData data = reports.getDiagnosticData();
        SimpleReport report = reports.getSimpleReport();
        List<Map<String, Object>> signatures = new ArrayList<>();
        for (SignatureWrapper one : data.getSignatures()) {
            signatures.add(facts(one, report));
        }
        List<Map<String, Object>> timestamps = new ArrayList<>();
        for (TimestampWrapper one : data.getTimestampList()) {
            timestamps.add(facts(one, report));
        }
        return Map.of("signatures", signatures, "timestamps", timestamps);
    }

    private static Map<String, Object> facts(SignatureWrapper one, SimpleReport report) {
        Map<String, Object> facts = common(one, report);
        facts.put("level", one.getSignatureFormat().toString());
        facts.put("scopes", scopes(one.getSignatureScopes()));
        facts.putAll(revision(one.getPDFRevision()));
        return facts;
    }

    private static Map<String, Object> facts(TimestampWrapper one, SimpleReport report) {
        Map<String, Object> facts = common(one, report);
        facts.put("type", one.getType().name());
        if (one.getPDFRevision() != null) {
            facts.putAll(revision(one.getPDFRevision()));
        }
        return facts;
    }

    private static Map<String, Object> common(AbstractSignatureWrapper one, SimpleReport report) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("indication", text(report.getIndication(one.getId())));
        facts.put("sub_indication", text(report.getSubIndication(one.getId())));
        facts.put("errors", messages(report.getAdESValidationErrors(one.getId())));
        facts.put("warnings", messages(report.getAdESValidationWarnings(one.getId())));
        return facts;
    }

    /** What was allowed after this signature (DocMDP, FieldMDP, the field's own lock), and what was done. */
    private static Map<String, Object> revision(PDFRevisionWrapper revision) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("fields", revision.getSignatureFieldNames());
        facts.put("docmdp", text(revision.getDocMDPPermissions()));
        facts.put("fieldmdp", lock(revision.getFieldMDP()));
        facts.put("lock", lock(revision.getSigFieldLock()));
        facts.put("extension_changes", changes(revision.getPdfExtensionChanges()));
        facts.put("form_changes", changes(revision.getPdfSignatureOrFormFillChanges()));
        facts.put("annotation_changes", changes(revision.getPdfAnnotationChanges()));
        facts.put("undefined_changes", changes(revision.getPdfUndefinedChanges()));
        facts.put("modified_fields", revision.getModifiedFieldNames());
        facts.put("pages_added_or_lost", revision.getPdfPageDifferenceConcernedPages());
        facts.put("pages_overlapped", revision.getPdfAnnotationsOverlapConcernedPages());
        facts.put("pages_look_different", revision.getPdfVisualDifferenceConcernedPages());
        return facts;
    }

    private static Map<String, Object> lock(XmlPDFLockDictionary lock) {
        if (lock == null) {
            return null;
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("action", text(lock.getAction()));
        facts.put("fields", lock.getFields());
        facts.put("permission", text(lock.getPermissions()));
        return facts;
    }

    private static List<String> changes(List<XmlObjectModification> changes) {
        return changes.stream().map(one -> one.getAction() + " " + one.getValue()).toList();
    }

    private static List<String> scopes(List<XmlSignatureScope> scopes) {
        return scopes.stream().map(one -> one.getScope() + ": " + one.getDescription()).toList();
    }

    private static Map<String, String> messages(List<Message> messages) {
        Map<String, String> told = new LinkedHashMap<>();
        messages.forEach(message -> told.put(message.getKey(), message.getValue()));
        return told;
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }
}
