package trust

import "time"

// JudgeAnswer reads and judges an answer as byEndpoint does, without a network.
func JudgeAnswer(i Issuer, body []byte, now time.Time) (Answer, error) {
	c, err := readAnswer("application/json", body)
	if err != nil || !c.Active {
		return Answer{}, err
	}
	if c.Issuer == "" {
		c.Issuer = i.Name
	}
	return (&source{Issuer: i}).judge(c, now)
}
