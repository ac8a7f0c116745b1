import eu.europa.esig.dss.evidencerecord.asn1.validation.ASN1EvidenceRecordAnalyzer;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.ReferenceValidation;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.x509.evidencerecord.EvidenceRecord;
import eu.europa.esig.dss.spi.x509.tsp.TimestampToken;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;

/**
 * Judges evidence records by the European Commission's DSS. Each line of standard input names a record and, behind
 * tabs, the files of its group; one line of JSON answers each: whether the objects were found in every chain, and
 * whether every token's imprint and signature hold.
 */
public final class EvidenceJudge {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(judge(line.split("\t")));
            System.out.flush();
        }
    }

    private static String judge(String[] names) {
        try {
            ASN1EvidenceRecordAnalyzer analyzer = new ASN1EvidenceRecordAnalyzer(new FileDocument(names[0]));
            List<DSSDocument> contents = new ArrayList<>();
            for (int at = 1; at < names.length; at++) {
                contents.add(new FileDocument(names[at]));
            }
            analyzer.setDetachedContents(contents);
            EvidenceRecord record = analyzer.getEvidenceRecord();
            boolean objects = hold(record.getReferenceValidation());
            int found = 0;
            for (ReferenceValidation each : record.getReferenceValidation()) {
                found += each.isFound() && each.isIntact() ? 1 : 0;
            }
            boolean imprints = true;
            boolean signatures = true;
            for (TimestampToken token : record.getTimestamps()) {
                imprints &= token.isMessageImprintDataFound() && token.isMessageImprintDataIntact();
                // What a renewal has to cover: the timestamp before, or the objects with all earlier chains.
                objects &= hold(token.getReferenceValidations());
                boolean signed = false;
                for (CertificateToken each : token.getCertificates()) {
                    signed |= token.isSignedBy(each);
                }
                signatures &= signed;
            }
            return String.format(
                "{\"objects\": %b, \"found\": %d, \"imprints\": %b, \"signatures\": %b, \"timestamps\": %d, \"error\": null}",
                objects && found > 0, found, imprints, signatures, record.getTimestamps().size());
        } catch (Exception error) {
            String what = String.valueOf(error).replaceAll("[^ -~]", " ").replace('"', ' ').replace('\\', ' ');
            return "{\"objects\": false, \"found\": 0, \"imprints\": false, \"signatures\": false, "
                + "\"timestamps\": 0, \"error\": \"" + what + "\"}";
        }
    }

    /** Hash values of others stand in the same list by right, and are no objects of ours. */
    private static boolean hold(List<ReferenceValidation> references) {
        for (ReferenceValidation each : references) {
            boolean others = String.valueOf(each.getType()).contains("ORPHAN");
            if (!others && !(each.isFound() && each.isIntact())) {
                return false;
            }
        }
        return true;
    }

    private EvidenceJudge() {}
}
